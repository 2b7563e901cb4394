//! Fused kernels for the CPU and for WebGPU: each does in one pass, forward and backward, what Burn's
//! autodiff composes of many.
//!
//! [`checks`] compares them with compositions of Burn's own operations.

pub mod adam;
mod autodiff;
mod backward;
pub mod checks;
mod constants;
mod cpu;
mod device;
mod gradients;
mod packed;
mod reference;
mod shape;
mod wasm;
#[cfg(feature = "webgpu")]
mod webgpu;

pub use constants::AdamConstants;
#[cfg(test)]
pub(crate) use device::MADE_UP;
pub use device::{most_bytes, on_gpu};
pub use packed::Packed;
pub use shape::{Heads, PackedLayout, Rotation};

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

/// Operations that each backend computes in one pass ([`backward::FusedBackward`]).
#[backend_extension(Autodiff, Flex, Cube: cfg(feature = "webgpu"))]
pub(crate) trait FusedOps: Backend {
    fn layer_norm_rows(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self>;

    fn rms_norm_rows(x: FloatTensor<Self>, scale: FloatTensor<Self>, epsilon: f32) -> FloatTensor<Self>;

    fn sum_layer_norm_rows(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    fn sum_rms_norm_rows(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        epsilon: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    fn linear_rows(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self>;

    fn product_rows(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;

    fn packed_linear_rows(
        x: FloatTensor<Self>,
        words: IntTensor<Self>,
        bias: FloatTensor<Self>,
        layout: PackedLayout,
    ) -> FloatTensor<Self>;

    fn packed_product_rows(x: FloatTensor<Self>, words: IntTensor<Self>, layout: PackedLayout) -> FloatTensor<Self>;

    fn packed_pair_rows(
        x: FloatTensor<Self>,
        first: IntTensor<Self>,
        second: IntTensor<Self>,
        layouts: [PackedLayout; 2],
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    fn packed_triple_rows(
        x: FloatTensor<Self>,
        first: IntTensor<Self>,
        second: IntTensor<Self>,
        third: IntTensor<Self>,
        layouts: [PackedLayout; 3],
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    fn unpacked_rows(words: IntTensor<Self>, layout: PackedLayout) -> FloatTensor<Self>;

    fn unpacked_chosen_rows(words: IntTensor<Self>, ids: IntTensor<Self>, layout: PackedLayout) -> FloatTensor<Self>;

    fn add_low_rank_rows(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        scaling: f32,
    ) -> FloatTensor<Self>;

    fn sum_elements(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self>;

    fn relu_elements(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn attention_heads(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        heads: Heads,
    ) -> FloatTensor<Self>;

    fn rotate_heads(x: FloatTensor<Self>, rotation: Rotation) -> FloatTensor<Self>;

    fn turned_attention_heads(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        heads: Heads,
        rotation: Rotation,
    ) -> FloatTensor<Self>;

    fn gated_elements(gate: FloatTensor<Self>, x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn gelu_new_elements(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn cross_entropy_rows(logits: FloatTensor<Self>, targets: Vec<i32>) -> FloatTensor<Self>;
}

/// Layer normalisation (Ba et al. 2016) of the last dimension: (x − mean)/√(variance + ε)·scale + bias.
pub fn layer_norm<const D: usize>(x: Tensor<D>, scale: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<D> {
    let [scale, bias] = [scale, bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::layer_norm_rows(x.into_dispatch(), scale, bias, epsilon as f32))
}

/// RMS normalisation (Zhang & Sennrich 2019) of the last dimension: x/√(mean of x² + ε)·scale.
pub fn rms_norm<const D: usize>(x: Tensor<D>, scale: Tensor<1>, epsilon: f64) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::rms_norm_rows(x.into_dispatch(), scale.into_dispatch(), epsilon as f32))
}

/// x + y of one shape, and the layer norm of that: a residual line and what reads it.
pub fn sum_layer_norm(
    x: Tensor<3>,
    y: Tensor<3>,
    scale: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
) -> (Tensor<3>, Tensor<3>) {
    if !on_gpu(&x) {
        let sum = x + y;
        return (sum.clone(), layer_norm(sum, scale, bias, epsilon));
    }
    let ([x, y], [scale, bias]) = ([x, y].map(Tensor::into_dispatch), [scale, bias].map(Tensor::into_dispatch));
    let (sum, normed) = Dispatch::sum_layer_norm_rows(x, y, scale, bias, epsilon as f32);
    (Tensor::from_dispatch(sum), Tensor::from_dispatch(normed))
}

/// x + y of one shape, and the RMS norm of that.
pub fn sum_rms_norm(x: Tensor<3>, y: Tensor<3>, scale: Tensor<1>, epsilon: f64) -> (Tensor<3>, Tensor<3>) {
    if !on_gpu(&x) {
        let sum = x + y;
        return (sum.clone(), rms_norm(sum, scale, epsilon));
    }
    let [x, y] = [x, y].map(Tensor::into_dispatch);
    let (sum, normed) = Dispatch::sum_rms_norm_rows(x, y, scale.into_dispatch(), epsilon as f32);
    (Tensor::from_dispatch(sum), Tensor::from_dispatch(normed))
}

/// x·W + b; `x` is `[.., inputs]`, `weight` `[inputs, outputs]`.
pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::linear_rows(x, weight, bias.into_dispatch()),
        None => Dispatch::product_rows(x, weight),
    })
}

/// y + s·(x·A)·B, through the narrow x·A and never through a dense A·B. `x` is `[.., inputs]`, `a`
/// `[inputs, rank]`, `b` `[rank, outputs]`, `y` `[.., outputs]`.
pub fn add_low_rank(y: Tensor<3>, x: Tensor<3>, a: Tensor<2>, b: Tensor<2>, scaling: f64) -> Tensor<3> {
    let ([y, x], [a, b]) = ([y, x].map(Tensor::into_dispatch), [a, b].map(Tensor::into_dispatch));
    Tensor::from_dispatch(Dispatch::add_low_rank_rows(y, x, a, b, scaling as f32))
}

/// x + y of one shape: a residual line. On a GPU what comes back along it is added to on the way.
pub fn sum(x: Tensor<3>, y: Tensor<3>) -> Tensor<3> {
    match on_gpu(&x) {
        true => Tensor::from_dispatch(Dispatch::sum_elements(x.into_dispatch(), y.into_dispatch())),
        false => x + y,
    }
}

/// max(x, 0)
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::relu_elements(x.into_dispatch()))
}

/// Attention of every head: softmax(Q Kᵀ/√d_h + mask) V. `q` is `[sequences, queries, width]`, `k` and `v`
/// are `[sequences, keys, key width]`, a head in each `width / heads` columns. Where there are fewer heads of
/// keys, each serves as many heads of queries as come on it, in order. Every query sees the keys up to its own;
/// those in front of the text, a prefix, are seen from everywhere.
pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: Heads) -> Tensor<3> {
    let [q, k, v] = [q, k, v].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::attention_heads(q, k, v, heads))
}

/// [`attention`] whose queries and keys are turned first, all of one length.
pub fn turned_attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: Heads, rotation: Rotation) -> Tensor<3> {
    if !on_gpu(&q) {
        return attention(rotate(q, rotation), rotate(k, rotation), v, heads);
    }
    let [q, k, v] = [q, k, v].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::turned_attention_heads(q, k, v, heads, rotation))
}

/// Turns every head of `[sequences, length, width]` by its position (rotary positions, Su et al. 2021).
pub fn rotate(x: Tensor<3>, rotation: Rotation) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::rotate_heads(x.into_dispatch(), rotation))
}

/// SiLU(gate) ⊙ x, of one shape.
pub fn gated(gate: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::gated_elements(gate.into_dispatch(), x.into_dispatch()))
}

/// GELU by its tanh approximation (Hendrycks & Gimpel 2016), as x·σ(2√(2/π)·(x + 0.044715 x³)): the same
/// function, since (1 + tanh z)/2 = σ(2z).
pub fn gelu_new<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::gelu_new_elements(x.into_dispatch()))
}

/// −log softmax(logits) at the targets, `[rows]` of `[rows, classes]`.
pub fn cross_entropy(logits: Tensor<2>, targets: &[i32]) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::cross_entropy_rows(logits.into_dispatch(), targets.to_vec()))
}
