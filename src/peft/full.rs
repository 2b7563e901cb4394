//! Full fine-tuning: φ is a trainable copy of every tensor of θ.

use super::{Count, Kind, Method, MethodInfo, Shape, Term, Value};
use crate::model::ModelConfig;

/// Full fine-tuning. No knobs: everything is trained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Full;

static INFO: MethodInfo = MethodInfo {
    name: "full",
    title: "Full fine-tuning",
    kind: Kind::Baseline,
    paper: "the baseline of every PEFT paper",
    formula: "f_{⟨θ′⟩}(x),  θ′ starts as θ",
    summary: "Trains every parameter of the network: the most that can be learnt, at the highest price.",
    knobs: &[],
    merges: Ok(()),
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
        let (d, f, v, n) = (m.hidden_size, m.ffn_dim, m.vocab_size, m.num_hidden_layers);
        let p = m.max_position_embeddings + ModelConfig::POSITION_OFFSET;
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

    fn added(&self, _shape: &Shape) -> usize {
        0
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        match (task, base) {
            ("rules", _) => 5e-3,
            (_, "prose-micro") => 4e-4,
            _ => 7e-4,
        }
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use crate::model::Weights;
    use crate::peft::phi::{Composition, InitContext, Place};
    use burn::module::Module;
    use burn::tensor::Tensor;

    /// θ′, every tensor trainable.
    #[derive(Module, Debug)]
    pub struct Phi {
        weights: Weights,
    }

    impl Phi {
        pub fn init(_config: &super::Full, context: &mut InitContext<'_>) -> Phi {
            Phi { weights: context.theta.weights.clone().train() }
        }
    }

    impl Composition for Phi {
        fn matrix(&self, place: Place) -> Option<Tensor<2>> {
            match place {
                Place::Tokens => Some(self.weights.tokens.val()),
                Place::Positions => Some(self.weights.positions.val()),
                Place::Linear(layer, target) => Some(self.weights.blocks[layer].linear(target).weight.val()),
                _ => None,
            }
        }

        fn bias(&self, place: Place) -> Option<Tensor<1>> {
            match place {
                Place::Linear(layer, target) => Some(self.weights.blocks[layer].linear(target).bias.val()),
                Place::AttentionNorm(layer) => Some(self.weights.blocks[layer].attention_norm.bias.val()),
                Place::MlpNorm(layer) => Some(self.weights.blocks[layer].mlp_norm.bias.val()),
                Place::FinalNorm => Some(self.weights.final_norm.bias.val()),
                _ => None,
            }
        }

        fn scale(&self, place: Place) -> Option<Tensor<1>> {
            match place {
                Place::AttentionNorm(layer) => Some(self.weights.blocks[layer].attention_norm.scale.val()),
                Place::MlpNorm(layer) => Some(self.weights.blocks[layer].mlp_norm.scale.val()),
                Place::FinalNorm => Some(self.weights.final_norm.scale.val()),
                _ => None,
            }
        }
    }
}
