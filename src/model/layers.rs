//! The two layers that a block is made of, as Burn modules.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// x·W + b. The matrix lies as a row `x` meets it, whatever way the checkpoint holds it.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`
    pub weight: Param<Tensor<2>>,
    /// `[outputs]`, where the layer has one.
    pub bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    /// Its bias.
    pub fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }
}

/// What a norm over the last dimension multiplies with and adds.
#[derive(Module, Debug)]
pub struct NormTensors {
    /// γ, `[d_model]` or a head's width; PyTorch calls it `weight`.
    pub scale: Param<Tensor<1>>,
    /// β, of the same shape; an RMSNorm has none.
    pub bias: Option<Param<Tensor<1>>>,
}
