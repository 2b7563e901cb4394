//! Full fine-tuning: φ is a trainable copy of every tensor of θ.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::model::{ModelConfig, ModulePath, ParamKind};
use crate::peft::{Count, MORE, Method, MethodInfo, MethodKind, Shape, Term, Value, rates, sums};

/// Full fine-tuning. No knobs: everything is trained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Full;

static INFO: MethodInfo = MethodInfo {
    name: "full",
    title: "Full fine-tuning",
    kind: MethodKind::Baseline,
    paper: "the baseline of every PEFT paper",
    formula: "f_{⟨θ′⟩}(x),  θ′ starts as θ",
    summary: "Trains every parameter of the network: the most that can be learnt, at the highest price.",
    knobs: &[],
    in_peft: false,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences",
};

impl Method for Full {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, _knob: &str) -> Option<Value> {
        None
    }

    fn set(&mut self, _knob: &str, _value: Value) {}

    fn count(&self, shape: &Shape) -> Count {
        let m = &shape.model;
        let (n, tables, last) = (m.num_hidden_layers as u64, sums::embeddings(m), sums::final_norm(m));
        Count::new([
            Term::new(sums::embeddings_in_words(m), tables.written, tables.value),
            Term::new(
                format!("blocks: {}", sums::block_in_words(m)),
                format!("{n} blocks × ({})", sums::block(m).written),
                n * m.block_parameters(),
            ),
            Term::new(format!("final {}", m.norm.kind.title()), last.written, last.value),
        ])
    }

    fn copies(&self, _place: ModulePath, _piece: ParamKind, _model: &ModelConfig) -> bool {
        true
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of_copies(task, base)
    }
}
