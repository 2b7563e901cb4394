//! What the kernels stand for, of Burn's own operations.

use super::cpu::slices::{GELU_CUBIC, GELU_SLOPE};
use super::{Heads, Rotation};
use burn::tensor::{Device, Int, Tensor, TensorData, activation, module};

/// Layer normalisation of the last dimension: `[.., d]`, scale and bias `[d]`.
pub fn layer_norm<const D: usize>(x: Tensor<D>, scale: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<D> {
    module::layer_norm(x, scale, Some(bias), epsilon)
}

/// x/√(mean of x² + ε)·scale over the last dimension.
pub fn rms_norm<const D: usize>(x: Tensor<D>, scale: Tensor<1>, epsilon: f64) -> Tensor<D> {
    let square = (x.clone() * x.clone()).mean_dim(D - 1).add_scalar(epsilon).sqrt();
    let width = scale.dims()[0];
    let mut shape = [1; D];
    shape[D - 1] = width;
    x / square * scale.reshape(shape)
}

/// Every head turned by its position: x·cos + rotate_half(x)·sin, as transformers writes it.
pub fn rotate(x: Tensor<3>, rotation: Rotation) -> Tensor<3> {
    let ([b, t, width], Rotation { head_dim, dims, .. }) = (x.dims(), rotation);
    let (heads, half) = (width / head_dim, dims / 2);
    let angles = rotation.angles(t);
    let table = |of: usize| {
        let values: Vec<f32> = angles.iter().map(|pair| pair[of]).collect();
        Tensor::<4>::from_data(TensorData::new(values, [1, t, 1, half]), &x.device())
    };
    let (cosine, sine) = (table(0), table(1));
    let x = x.reshape([b, t, heads, head_dim]);
    let part = |from: usize, to: usize| x.clone().slice([0..b, 0..t, 0..heads, from..to]);
    let (first, second) = (part(0, half), part(half, dims));
    let mut parts =
        vec![first.clone() * cosine.clone() - second.clone() * sine.clone(), second * cosine + first * sine];
    if dims < head_dim {
        parts.push(part(dims, head_dim));
    }
    Tensor::cat(parts, 3).reshape([b, t, width])
}

/// SiLU(gate) ⊙ x
pub fn gated(gate: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
    activation::silu(gate) * x
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
pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: Heads) -> Tensor<3> {
    let [b, t, d] = q.dims();
    let mask = causal_mask(t, k.dims()[1] - t, &q.device());
    let (of_queries, size) = (heads.queries, d / heads.queries);
    // A head of keys stands as often as heads of queries look at it.
    let split = |z: Tensor<3>| {
        let [_, length, width] = z.dims();
        let own = width / size;
        let z = z.reshape([b, length, own, 1, size]).expand([b, length, own, of_queries / own, size]);
        z.reshape([b, length, of_queries, size]).swap_dims(1, 2)
    };
    let q = q.mul_scalar(1.0 / (size as f32).sqrt());
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
