//! The kernels on Flex tensors.

use super::Kernels;
use super::attention::Attention;
use super::matrix::{View, Write, multiply};
use super::rows::{self, Moments};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, Shape};
use burn::tensor::TensorData;

pub type Flat = FloatTensor<Flex>;

/// Contiguous f32 elements.
pub fn elements(tensor: &Flat) -> &[f32] {
    tensor.as_slice().expect("the caller made it contiguous, of f32")
}

/// The tensor as a contiguous one.
pub fn contiguous(tensor: Flat) -> Flat {
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

/// Changes the elements where they are, or those of a copy where somebody else holds them.
pub fn change(tensor: Flat, f: impl FnOnce(&mut [f32])) -> Flat {
    let mut tensor = contiguous(tensor);
    if tensor.layout().start_offset() != 0 || tensor.bytes().len() != 4 * tensor.layout().num_elements() {
        let shape = tensor.layout().shape().clone();
        tensor = Flat::from_data(TensorData::new(elements(&tensor).to_vec(), shape));
    }
    f(tensor.storage_mut());
    tensor
}

/// A tensor of given values. Unlike Flex's own, it takes them over without a copy.
pub fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Flat {
    Flat::from_data(TensorData::new(values, shape))
}

/// A tensor of the same shape, filled by `f`.
pub fn like(x: &Flat, f: impl FnOnce(&mut [f32])) -> Flat {
    let mut values = vec![0.0; elements(x).len()];
    f(&mut values);
    tensor(values, shape(x))
}

pub fn shape(x: &Flat) -> Shape {
    x.layout().shape().clone()
}

/// Elements of the last dimension.
fn last(x: &Flat) -> usize {
    let shape = x.layout().shape();
    shape[shape.num_dims() - 1]
}

/// `[.., n]` as `[rows, n]`; contiguous.
pub fn as_rows(x: &Flat) -> View<'_> {
    let n = last(x);
    View::new(elements(x), elements(x).len() / n.max(1), n)
}

/// A matrix of any layout.
pub fn as_matrix(x: &Flat) -> View<'_> {
    let (shape, strides) = (x.layout().shape(), x.layout().strides());
    View::strided(&x.storage()[x.layout().start_offset()..], shape[0], shape[1], strides[0], strides[1])
}

/// x·W, plus a bias. `x` contiguous.
pub fn linear(x: &Flat, weight: View<'_>, bias: Option<&[f32]>) -> Flat {
    let (x_rows, n) = (as_rows(x), weight.columns());
    let rows = x_rows.rows();
    let (mut y, write) = match bias {
        Some(bias) => (bias.repeat(rows), Write::Add),
        None => (vec![0.0; rows * n], Write::Replace),
    };
    multiply(&mut y, n, write, x_rows, weight);
    let mut shape = shape(x);
    let dims = shape.num_dims();
    shape[dims - 1] = n;
    tensor(y, shape)
}

/// y + s·(x·A)·B, and s·(x·A). `x` contiguous.
pub fn add_low_rank(y: Flat, x: &Flat, a: &Flat, b: &Flat, scaling: f32) -> (Flat, Flat) {
    let inner = change(linear(x, as_matrix(a), None), |inner| rows::scale(inner, scaling));
    let b = as_matrix(b);
    let y = change(y, |y| multiply(y, b.columns(), Write::Add, as_rows(&inner), b));
    (y, inner)
}

/// Shape of an attention.
pub fn attention_of(q: &Flat, k: &Flat, heads: usize) -> Attention {
    let (q, k) = (q.layout().shape(), k.layout().shape());
    Attention { sequences: q[0], queries: q[1], keys: k[1], width: q[2], heads }
}

/// Output and weights; all arguments contiguous.
pub fn attention(q: &Flat, k: &Flat, v: &Flat, heads: usize) -> (Flat, Vec<f32>) {
    let attention = attention_of(q, k, heads);
    let mut weights = vec![0.0; attention.weights()];
    let out = like(q, |out| attention.forward(elements(q), elements(k), elements(v), &mut weights, out));
    (out, weights)
}

/// Output and what the backward pass needs; all arguments contiguous.
pub fn layer_norm(x: &Flat, scale: &Flat, bias: &Flat, epsilon: f32) -> (Flat, Vec<Moments>) {
    let mut moments = Vec::new();
    let y = like(x, |y| moments = rows::layer_norm(elements(x), elements(scale), elements(bias), epsilon, y));
    (y, moments)
}

/// Losses, and the probabilities for the backward pass.
pub fn cross_entropy(logits: Flat, targets: &[i32]) -> (Flat, Flat) {
    let mut losses = Vec::new();
    let probabilities = change(logits, |x| losses = rows::cross_entropy(x, targets));
    let n = losses.len();
    (tensor(losses, [n]), probabilities)
}

impl Kernels for Flex {
    fn layer_norm_rows(x: Flat, scale: Flat, bias: Flat, epsilon: f32) -> Flat {
        layer_norm(&contiguous(x), &contiguous(scale), &contiguous(bias), epsilon).0
    }

    fn linear_rows(x: Flat, weight: Flat, bias: Flat) -> Flat {
        linear(&contiguous(x), as_matrix(&weight), Some(elements(&contiguous(bias))))
    }

    fn product_rows(x: Flat, weight: Flat) -> Flat {
        linear(&contiguous(x), as_matrix(&weight), None)
    }

    fn add_low_rank_rows(y: Flat, x: Flat, a: Flat, b: Flat, scaling: f32) -> Flat {
        add_low_rank(y, &contiguous(x), &a, &b, scaling).0
    }

    fn relu_elements(x: Flat) -> Flat {
        change(x, rows::relu)
    }

    fn attention_heads(q: Flat, k: Flat, v: Flat, heads: usize) -> Flat {
        let [q, k, v] = [q, k, v].map(contiguous);
        attention(&q, &k, &v, heads).0
    }

    fn gelu_new_elements(x: Flat) -> Flat {
        let x = contiguous(x);
        like(&x, |y| rows::gelu_new(elements(&x), y))
    }

    fn cross_entropy_rows(logits: Flat, targets: Vec<i32>) -> Flat {
        cross_entropy(logits, &targets).0
    }
}
