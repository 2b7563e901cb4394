//! Fused kernels for the CPU: each does in one pass, forward and backward, what Burn's autodiff composes of many.
//!
//! On other devices the same functions compose Burn's own operations, which is also what the tests compare with.

mod attention;
mod autodiff;
pub mod checks;
mod flex;
mod lanes;
mod matrix;
mod panels;
mod rows;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchDevice, backend_extension};
use burn::tensor::{Device, Tensor, TensorData, activation};

/// Operations that the CPU backend computes in one pass.
#[backend_extension(Autodiff, Flex)]
pub(crate) trait Kernels: Backend {
    fn layer_norm_rows(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self>;

    fn linear_rows(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self>;

    fn product_rows(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;

    fn add_low_rank_rows(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        scaling: f32,
    ) -> FloatTensor<Self>;

    fn relu_elements(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn attention_heads(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self>;

    fn gelu_new_elements(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn cross_entropy_rows(logits: FloatTensor<Self>, targets: Vec<i32>) -> FloatTensor<Self>;
}

/// Whether a device runs [`Kernels`].
fn fused(device: &Device) -> bool {
    matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Flex(_))
}

/// Layer normalisation (Ba et al. 2016) of the last dimension: (x − mean)/√(variance + ε)·scale + bias.
pub fn layer_norm<const D: usize>(x: Tensor<D>, scale: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<D> {
    if !fused(&x.device()) {
        return composed::layer_norm(x, scale, bias, epsilon);
    }
    let [scale, bias] = [scale, bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::layer_norm_rows(x.into_dispatch(), scale, bias, epsilon as f32))
}

/// x·W + b; `x` is `[.., inputs]`, `weight` `[inputs, outputs]`.
pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
    if !fused(&x.device()) {
        return composed::linear(x, weight, bias);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::linear_rows(x, weight, bias.into_dispatch()),
        None => Dispatch::product_rows(x, weight),
    })
}

/// y + s·(x·A)·B, through the narrow x·A and never through a dense A·B. `x` is `[.., inputs]`, `a` `[inputs, rank]`, `b`
/// `[rank, outputs]`, `y` `[.., outputs]`.
pub fn add_low_rank(y: Tensor<3>, x: Tensor<3>, a: Tensor<2>, b: Tensor<2>, scaling: f64) -> Tensor<3> {
    if !fused(&x.device()) {
        return composed::add_low_rank(y, x, a, b, scaling);
    }
    let ([y, x], [a, b]) = ([y, x].map(Tensor::into_dispatch), [a, b].map(Tensor::into_dispatch));
    Tensor::from_dispatch(Dispatch::add_low_rank_rows(y, x, a, b, scaling as f32))
}

/// max(x, 0)
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !fused(&x.device()) {
        return activation::relu(x);
    }
    Tensor::from_dispatch(Dispatch::relu_elements(x.into_dispatch()))
}

/// Attention of every head: softmax(Q Kᵀ/√d_h + mask) V. `q` is `[sequences, queries, width]`, `k` and `v` are
/// `[sequences, keys, width]`, a head in each `width / heads` columns; `mask` is a [`causal_mask`].
pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize, mask: &Tensor<4>) -> Tensor<3> {
    if !fused(&q.device()) {
        return composed::attention(q, k, v, heads, mask);
    }
    let [q, k, v] = [q, k, v].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::attention_heads(q, k, v, heads))
}

/// GELU by its tanh approximation (Hendrycks & Gimpel 2016), as x·σ(2√(2/π)·(x + 0.044715 x³)): the same function, since
/// (1 + tanh z)/2 = σ(2z).
pub fn gelu_new<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !fused(&x.device()) {
        return composed::gelu_new(x);
    }
    Tensor::from_dispatch(Dispatch::gelu_new_elements(x.into_dispatch()))
}

/// −log softmax(logits) at the targets, `[rows]` of `[rows, classes]`.
pub fn cross_entropy(logits: Tensor<2>, targets: &[i32]) -> Tensor<1> {
    if !fused(&logits.device()) {
        return composed::cross_entropy(logits, targets);
    }
    Tensor::from_dispatch(Dispatch::cross_entropy_rows(logits.into_dispatch(), targets.to_vec()))
}

/// 0 where a query may look, a large negative number where it may not: `[1, 1, queries, prefix + queries]`. The prefix is seen
/// from everywhere, and every query sees the keys up to its own.
pub fn causal_mask(queries: usize, prefix: usize, device: &Device) -> Tensor<4> {
    let keys = prefix + queries;
    let values: Vec<f32> =
        (0..queries * keys).map(|i| if i % keys <= prefix + i / keys { 0.0 } else { -1e9 }).collect();
    Tensor::from_data(TensorData::new(values, [1, 1, queries, keys]), device)
}

/// The same functions of Burn's operations.
mod composed {
    use super::rows::{GELU_CUBIC, GELU_SLOPE};
    use burn::tensor::{Int, Tensor, TensorData, activation, module};

    pub fn layer_norm<const D: usize>(x: Tensor<D>, scale: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<D> {
        module::layer_norm(x, scale, Some(bias), epsilon)
    }

    pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
        module::linear(x, weight, bias)
    }

    pub fn add_low_rank(y: Tensor<3>, x: Tensor<3>, a: Tensor<2>, b: Tensor<2>, scaling: f64) -> Tensor<3> {
        // The factor goes onto the narrow tensor: rank numbers per token instead of d.
        y + module::linear(module::linear(x, a, None).mul_scalar(scaling), b, None)
    }

    pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize, mask: &Tensor<4>) -> Tensor<3> {
        let [b, t, d] = q.dims();
        let split = |z: Tensor<3>| {
            let length = z.dims()[1];
            z.reshape([b, length, heads, d / heads]).swap_dims(1, 2)
        };
        let q = q.mul_scalar(1.0 / ((d / heads) as f32).sqrt());
        let scores = split(q).matmul(split(k).swap_dims(2, 3)) + mask.clone();
        activation::softmax(scores, 3).matmul(split(v)).swap_dims(1, 2).reshape([b, t, d])
    }

    pub fn gelu_new<const D: usize>(x: Tensor<D>) -> Tensor<D> {
        let square = x.clone() * x.clone();
        let inner = x.clone() * square.mul_scalar(GELU_CUBIC * GELU_SLOPE).add_scalar(GELU_SLOPE);
        x * activation::sigmoid(inner)
    }

    pub fn cross_entropy(logits: Tensor<2>, targets: &[i32]) -> Tensor<1> {
        let n = targets.len();
        let targets = Tensor::<2, Int>::from_data(TensorData::new(targets.to_vec(), [n, 1]), &logits.device());
        activation::log_softmax(logits, 1).gather(1, targets).neg().reshape([n])
    }
}
