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
use crate::peft::{Count, MORE, Method, MethodInfo, MethodKind, Shape, Term, Value, factors, rates};

/// A trainable copy of all blocks and the last LayerNorm. No knobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllButEmbeddings;

static INFO: MethodInfo = MethodInfo {
    name: "all-but-embeddings",
    title: "All but embeddings",
    kind: MethodKind::Baseline,
    paper: "Kim, Convolutional Neural Networks for Sentence Classification, 2014 (static vectors)",
    formula: "f_{⟨θ′⟩}(Ex)",
    summary: "Trains the network and keeps the tokens' vectors static; the head, which is the same matrix, stays too.",
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

    fn get(&self, _knob: &str) -> Option<Value> {
        None
    }

    fn set(&mut self, _knob: &str, _value: Value) {}

    fn count(&self, shape: &Shape) -> Count {
        let m = &shape.model;
        let [d, f, n] = factors([m.hidden_size, m.ffn_dim, m.num_hidden_layers]);
        Count::new([
            Term::new(
                "blocks: four projections, two LayerNorms, the MLP",
                format!("{n} blocks × (4 × ({d} × {d} + {d}) + 2 × 2 × {d} + {d} × {f} + {f} + {f} × {d} + {d})"),
                n * m.block_parameters(),
            ),
            Term::new("final LayerNorm", format!("2 × {d}"), 2 * d),
        ])
    }

    fn copies(&self, place: ModulePath, _piece: ParamKind, _model: &ModelConfig) -> bool {
        !matches!(place, ModulePath::Tokens | ModulePath::Positions)
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of_copies(task, base)
    }
}
