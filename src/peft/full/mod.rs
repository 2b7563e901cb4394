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
use crate::peft::{Count, MORE, Method, MethodInfo, MethodKind, Shape, Term, Value, factors, rates};

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
        let [d, f, v, n] = factors([m.hidden_size, m.ffn_dim, m.vocab_size, m.num_hidden_layers]);
        let p = m.position_rows() as u64;
        Count::new([
            Term::new("token and position embeddings", format!("({v} + {p}) × {d}"), (v + p) * d),
            Term::new(
                "blocks: four projections, two LayerNorms, the MLP",
                format!("{n} blocks × (4 × ({d} × {d} + {d}) + 2 × 2 × {d} + {d} × {f} + {f} + {f} × {d} + {d})"),
                n * m.block_parameters(),
            ),
            Term::new("final LayerNorm", format!("2 × {d}"), 2 * d),
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
