//! What the kernels stand for, of Burn's own operations.

use super::cpu::slices::{GELU_CUBIC, GELU_SLOPE};
use burn::tensor::{Device, Int, Tensor, TensorData, activation, module};

/// Layer normalisation of the last dimension: `[.., d]`, scale and bias `[d]`.
pub fn layer_norm<const D: usize>(x: Tensor<D>, scale: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<D> {
    module::layer_norm(x, scale, Some(bias), epsilon)
}

/// x·W + b: `[.., inputs]` by `[inputs, outputs]`.
pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
    module::linear(x, weight, bias)
}

/// y + s·(x·A)·B: A `[inputs, rank]`, B `[rank, outputs]`.
pub fn add_low_rank(y: Tensor<3>, x: Tensor<3>, a: Tensor<2>, b: Tensor<2>, scaling: f64) -> Tensor<3> {
    // The factor goes onto the narrow tensor: rank numbers per token instead of d.
    y + module::linear(module::linear(x, a, None).mul_scalar(scaling), b, None)
}

/// Causal attention of all heads: queries, keys and values `[sequences, positions, width]`.
pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize) -> Tensor<3> {
    let [b, t, d] = q.dims();
    let mask = causal_mask(t, k.dims()[1] - t, &q.device());
    let split = |z: Tensor<3>| {
        let length = z.dims()[1];
        z.reshape([b, length, heads, d / heads]).swap_dims(1, 2)
    };
    let q = q.mul_scalar(1.0 / ((d / heads) as f32).sqrt());
    let scores = split(q).matmul(split(k).swap_dims(2, 3)) + mask;
    activation::softmax(scores, 3).matmul(split(v)).swap_dims(1, 2).reshape([b, t, d])
}

/// GELU by its tanh approximation.
pub fn gelu_new<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let square = x.clone() * x.clone();
    let inner = x.clone() * square.mul_scalar(GELU_CUBIC * GELU_SLOPE).add_scalar(GELU_SLOPE);
    x * activation::sigmoid(inner)
}

/// −log softmax at the targets: `[rows]` of `[rows, classes]`.
pub fn cross_entropy(logits: Tensor<2>, targets: &[i32]) -> Tensor<1> {
    let n = targets.len();
    let targets = Tensor::<2, Int>::from_data(TensorData::new(targets.to_vec(), [n, 1]), &logits.device());
    activation::log_softmax(logits, 1).gather(1, targets).neg().reshape([n])
}

/// 0 where a query may look, a large negative number where it may not: `[1, 1, queries, prefix + queries]`.
/// The prefix is seen from everywhere, and every query sees the keys up to its own.
fn causal_mask(queries: usize, prefix: usize, device: &Device) -> Tensor<4> {
    let keys = prefix + queries;
    let values: Vec<f32> =
        (0..queries * keys).map(|i| if i % keys <= prefix + i / keys { 0.0 } else { -1e9 }).collect();
    Tensor::from_data(TensorData::new(values, [1, 1, queries, keys]), device)
}
