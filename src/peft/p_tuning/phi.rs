//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::PTuning;
use crate::kernels::{linear, relu};
use crate::model::Composition;
use crate::model::layers::Linear;
use crate::peft::InitContext;
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// E `[n, d]` and the MLP.
#[derive(Module, Debug)]
pub struct Phi {
    embedding: Param<Tensor<2>>,
    first: Linear,
    second: Linear,
    third: Linear,
}

impl Phi {
    /// As PEFT's `PromptEncoder` starts: E standard normal, the layers as `nn.Linear`.
    pub fn init(config: &PTuning, context: &mut InitContext<'_>) -> Phi {
        let (n, d, h) = (config.num_virtual_tokens, context.theta.config.hidden_size, config.encoder_hidden_size);
        Phi {
            embedding: context.normal([n, d], 1.0),
            first: context.linear(d, h),
            second: context.linear(h, h),
            third: context.linear(h, d),
        }
    }
}

impl Composition for Phi {
    fn prompt(&self) -> Option<Tensor<2>> {
        let apply = |x: Tensor<2>, layer: &Linear| linear(x, layer.weight.val(), layer.bias());
        let x = relu(apply(self.embedding.val(), &self.first));
        let x = relu(apply(x, &self.second));
        Some(apply(x, &self.third))
    }
}
