//! BitFit (Ben-Zaken et al. 2022): only the biases are trained.

use super::{Count, Kind, Method, MethodInfo, Shape, Term, Value};

/// BitFit over all biases: of the projections, the MLP and the LayerNorms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BitFit;

static INFO: MethodInfo = MethodInfo {
    name: "bitfit",
    title: "BitFit",
    kind: Kind::Parameter,
    paper: "Ben-Zaken et al., BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked Language-models, 2022",
    formula: "h = W₀x + ⟨b⟩",
    summary: "Trains the biases and leaves every matrix alone.",
    knobs: &[],
    merges: Ok(()),
};

impl Method for BitFit {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, _knob: &str) -> Option<Value> {
        None
    }

    fn set(&mut self, _knob: &str, _value: Value) {}

    fn count(&self, shape: &Shape) -> Count {
        let m = &shape.model;
        let (d, f, n) = (m.hidden_size, m.ffn_dim, m.num_hidden_layers);
        Count::new([
            Term::new(
                "biases of W_Q W_K W_V W_O, two LayerNorms, fc1, fc2",
                format!("{n} blocks × (4 × {d} + 2 × {d} + {f} + {d})"),
                n * (4 * d + 2 * d + f + d),
            ),
            Term::new("bias of the final LayerNorm", format!("{d}"), d),
        ])
    }

    fn added(&self, _shape: &Shape) -> usize {
        0
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        if task == "rules" { 3e-2 } else { 1e-2 }
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use crate::peft::Target;
    use crate::peft::phi::{Composition, InitContext, Place};
    use burn::module::{Module, Param};
    use burn::tensor::Tensor;

    /// Trainable copies of a block's biases: of its six linear layers in [`Target`]'s order, and its two LayerNorms.
    #[derive(Module, Debug)]
    struct Biases {
        linear: Vec<Param<Tensor<1>>>,
        attention_norm: Param<Tensor<1>>,
        mlp_norm: Param<Tensor<1>>,
    }

    /// Every bias of the network.
    #[derive(Module, Debug)]
    pub struct Phi {
        blocks: Vec<Biases>,
        final_norm: Param<Tensor<1>>,
    }

    impl Phi {
        pub fn init(_config: &super::BitFit, context: &mut InitContext<'_>) -> Phi {
            let theta = &context.theta.weights;
            let blocks = theta.blocks.iter().map(|block| Biases {
                linear: Target::ALL.iter().map(|t| context.copy(&block.linear(*t).bias)).collect(),
                attention_norm: context.copy(&block.attention_norm.bias),
                mlp_norm: context.copy(&block.mlp_norm.bias),
            });
            Phi { blocks: blocks.collect(), final_norm: context.copy(&theta.final_norm.bias) }
        }
    }

    impl Composition for Phi {
        fn bias(&self, place: Place) -> Option<Tensor<1>> {
            match place {
                Place::Linear(layer, target) => Some(self.blocks[layer].linear[target as usize].val()),
                Place::AttentionNorm(layer) => Some(self.blocks[layer].attention_norm.val()),
                Place::MlpNorm(layer) => Some(self.blocks[layer].mlp_norm.val()),
                Place::FinalNorm => Some(self.final_norm.val()),
                Place::Tokens | Place::Positions => None,
            }
        }
    }
}
