//! Everything but the embeddings (Kim 2014, “static”): the words' vectors stay as pretraining left them.

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

/// A trainable copy of all blocks and the last LayerNorm. No knobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllButEmbeddings;

static INFO: MethodInfo = MethodInfo {
    name: "all-but-embeddings",
    title: "All but embeddings",
    kind: MethodKind::Baseline,
    paper: "Kim, Convolutional Neural Networks for Sentence Classification, 2014 (static vectors)",
    formula: "f_{⟨θ′⟩}(Ex)",
    summary: "Trains the network and keeps the tokens' vectors static; the head stays too.",
    knobs: &[],
    in_peft: false,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences",
};

impl Method for AllButEmbeddings {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn summary(&self, model: &ModelConfig) -> &'static str {
        match model.tied {
            true => {
                "Trains the network and keeps the tokens' vectors static; the head, which is the same matrix, stays too."
            }
            false => {
                "Trains the network and keeps the tokens' vectors static; the head, a matrix of its own, stays too."
            }
        }
    }

    fn get(&self, _knob: &str) -> Option<Value> {
        None
    }

    fn set(&mut self, _knob: &str, _value: Value) {}

    fn count(&self, shape: &Shape) -> Count {
        let m = &shape.model;
        let (n, last) = (m.num_hidden_layers as u64, sums::final_norm(m));
        Count::new([
            Term::new(
                format!("blocks: {}", sums::block_in_words(m)),
                format!("{n} blocks × ({})", sums::block(m).written),
                n * m.block_parameters(),
            ),
            Term::new(format!("final {}", m.norm.kind.title()), last.written, last.value),
        ])
    }

    fn copies(&self, place: ModulePath, _piece: ParamKind, _model: &ModelConfig) -> bool {
        !place.is_embedding() && place != ModulePath::Head
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of_copies(task, base)
    }
}
