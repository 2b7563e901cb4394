//! The two layers that a block is made of, as Burn modules.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation, module};

/// x·W + b. `weight` is `[inputs, outputs]`, transposed from Hugging Face's `[outputs, inputs]`.
#[derive(Module, Debug)]
pub struct Linear {
    pub weight: Param<Tensor<2>>,
    pub bias: Param<Tensor<1>>,
}

/// Layer normalisation over the last dimension. `scale` and `bias` are `[d_model]`.
#[derive(Module, Debug)]
pub struct LayerNorm {
    pub scale: Param<Tensor<1>>,
    pub bias: Param<Tensor<1>>,
}

/// OPT's epsilon.
const LAYER_NORM_EPSILON: f64 = 1e-5;

/// Normalises the last dimension of `x`.
pub fn layer_norm<const D: usize>(x: Tensor<D>, scale: Tensor<1>, bias: Tensor<1>) -> Tensor<D> {
    module::layer_norm(x, scale, Some(bias), LAYER_NORM_EPSILON)
}

/// GELU by its tanh approximation (Hendrycks & Gimpel 2016), as x·σ(2√(2/π)·(x + 0.044715 x³)): the same function, since
/// (1 + tanh z)/2 = σ(2z). Burn's own takes a tanh and a general power of every element: 45 % of a step of `prose-micro`.
pub fn gelu_new<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let scale = 2.0 * (2.0 / std::f64::consts::PI).sqrt();
    let square = x.clone() * x.clone();
    let inner = x.clone() * square.mul_scalar(0.044_715 * scale).add_scalar(scale);
    x * activation::sigmoid(inner)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn gelu_new_is_burn_s_tanh_approximation() {
        let x = Tensor::<1>::from_data([-30.0_f32, -3.0, -0.7, 0.0, 0.2, 1.5, 8.0, 40.0], &Device::flex());
        let ours: Vec<f32> = gelu_new(x.clone()).into_data().iter::<f32>().collect();
        let theirs: Vec<f32> = activation::gelu_approximate(x).into_data().iter::<f32>().collect();
        assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-6), "{ours:?} {theirs:?}");
    }
}
