//! The two layers that a block is made of, as Burn modules.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// x·W + b. The matrix lies as a row `x` meets it, whatever way the checkpoint holds it.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`
    pub weight: Param<Tensor<2>>,
    /// `[outputs]`
    pub bias: Param<Tensor<1>>,
}

/// Layer normalisation (Ba et al. 2016) over the last dimension.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// γ, `[d_model]`; PyTorch calls it `weight`.
    pub scale: Param<Tensor<1>>,
    /// β, `[d_model]`
    pub bias: Param<Tensor<1>>,
}

/// Added to the variance. Families refuse a `config.json` that asks for another.
pub const LAYER_NORM_EPSILON: f64 = 1e-5;
