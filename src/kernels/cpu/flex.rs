//! The kernels on Flex tensors.

use super::attention::Attention;
use super::gemm::{multiply, multiply_packed};
use super::packed::PackedView;
use super::slices;
use super::slices::Moments;
use super::view::{View, Write};
use crate::kernels::backward::{FusedBackward, Wanted};
use crate::kernels::{Heads, PackedLayout, Rotation};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, Shape};
use burn::tensor::{DType, TensorData};

/// A tensor of the CPU's backend.
pub type Flat = FloatTensor<Flex>;

/// The elements of a contiguous tensor of f32.
#[expect(clippy::expect_used, reason = "callers pass it through `contiguous`, and floats are f32 on this backend")]
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
fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Flat {
    Flat::from_data(TensorData::new(values, shape))
}

/// A tensor of the same shape, filled by `f`.
fn like(x: &Flat, f: impl FnOnce(&mut [f32])) -> Flat {
    let mut values = vec![0.0; elements(x).len()];
    f(&mut values);
    tensor(values, shape(x))
}

fn shape(x: &Flat) -> Shape {
    x.layout().shape().clone()
}

/// Elements of the last dimension.
fn last(x: &Flat) -> usize {
    let shape = x.layout().shape();
    shape[shape.num_dims() - 1]
}

/// `[.., n]` as `[rows, n]`; contiguous.
fn as_rows(x: &Flat) -> View<'_> {
    let n = last(x);
    View::new(elements(x), elements(x).len() / n.max(1), n)
}

/// A matrix of any layout.
fn as_matrix(x: &Flat) -> View<'_> {
    let (shape, strides) = (x.layout().shape(), x.layout().strides());
    View::strided(&x.storage()[x.layout().start_offset()..], shape[0], shape[1], strides[0], strides[1])
}

/// Shape of an attention.
fn attention_of(q: &Flat, k: &Flat, heads: Heads) -> Attention {
    let (q, k) = (q.layout().shape(), k.layout().shape());
    Attention { sequences: q[0], queries: q[1], keys: k[1], width: q[2], heads }
}

/// x·W, plus a bias. `x` contiguous.
fn linear(x: &Flat, weight: View<'_>, bias: Option<&[f32]>) -> Flat {
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

/// The rows of a packed matrix, in a tensor of words.
fn as_packed(words: &Flat, layout: PackedLayout) -> PackedView<'_> {
    PackedView::new(words.bytes(), layout)
}

/// Whole numbers of either width, from 0 on.
fn places(ids: &Flat) -> Vec<usize> {
    let ids = ids.to_contiguous();
    match ids.dtype() {
        DType::I64 => ids.storage::<i64>().iter().map(|id| *id as usize).collect(),
        _ => ids.storage::<i32>().iter().map(|id| *id as usize).collect(),
    }
}

/// leftᵀ·right of matrices with the same rows.
fn transposed_product(left: View<'_>, right: View<'_>) -> Flat {
    let (m, n) = (left.columns(), right.columns());
    let mut values = vec![0.0; m * n];
    multiply(&mut values, n, Write::Replace, left.transposed(), right);
    tensor(values, [m, n])
}

impl FusedBackward for Flex {
    type Moments = Vec<Moments>;
    type Targets = Vec<i32>;

    fn contiguous(x: Flat) -> Flat {
        contiguous(x)
    }

    fn forward_layer_norm(x: &Flat, scale: &Flat, bias: &Flat, epsilon: f32) -> (Flat, Vec<Moments>) {
        let mut moments = Vec::new();
        let y = like(x, |y| moments = slices::layer_norm(elements(x), elements(scale), elements(bias), epsilon, y));
        (y, moments)
    }

    fn backward_layer_norm(
        x: &Flat,
        scale: &Flat,
        moments: &Vec<Moments>,
        gradient: Flat,
        [of_x, of_scale, of_bias]: [bool; 3],
        _: Option<Flat>,
    ) -> Wanted<Self, 3> {
        let d = elements(scale).len();
        let (mut s, mut b) = (None, None);
        if of_scale || of_bias {
            let (mut scales, mut biases) = (vec![0.0; d], vec![0.0; d]);
            slices::layer_norm_parameters(elements(x), moments, elements(&gradient), &mut scales, &mut biases);
            (s, b) = (Some(tensor(scales, [d])), Some(tensor(biases, [d])));
        }
        let g =
            of_x.then(|| change(gradient, |g| slices::layer_norm_backward(elements(x), elements(scale), moments, g)));
        [g, s, b]
    }

    fn forward_rms_norm(x: &Flat, scale: &Flat, epsilon: f32) -> (Flat, Vec<Moments>) {
        let mut moments = Vec::new();
        let y = like(x, |y| moments = slices::rms_norm(elements(x), elements(scale), epsilon, y));
        (y, moments)
    }

    fn backward_rms_norm(
        x: &Flat,
        scale: &Flat,
        moments: &Vec<Moments>,
        gradient: Flat,
        [of_x, of_scale]: [bool; 2],
        _: Option<Flat>,
    ) -> Wanted<Self, 2> {
        let d = elements(scale).len();
        let s = of_scale.then(|| {
            let (mut scales, mut biases) = (vec![0.0; d], vec![0.0; d]);
            slices::layer_norm_parameters(elements(x), moments, elements(&gradient), &mut scales, &mut biases);
            tensor(scales, [d])
        });
        let g = of_x.then(|| change(gradient, |g| slices::rms_norm_backward(elements(x), elements(scale), moments, g)));
        [g, s]
    }

    fn forward_linear(x: &Flat, weight: &Flat, bias: Option<&Flat>) -> Flat {
        linear(x, as_matrix(weight), bias.map(elements))
    }

    fn lies_in_columns(weight: &Flat) -> bool {
        weight.layout().strides()[0] == 1
    }

    fn backward_linear(
        x: Option<(&Flat, bool)>,
        weight: Option<&Flat>,
        gradient: &Flat,
        bias: bool,
        _: Option<Flat>,
    ) -> Wanted<Self, 3> {
        let of_weight = x.map(|(x, in_columns)| match in_columns {
            // Whoever turns it back has it in rows, without a copy.
            true => transposed_product(as_rows(gradient), as_rows(x)).transpose(0, 1),
            false => transposed_product(as_rows(x), as_rows(gradient)),
        });
        let of_bias = bias.then(|| {
            let mut values = vec![0.0; last(gradient)];
            slices::add_rows(elements(gradient), &mut values);
            let n = values.len();
            tensor(values, [n])
        });
        let of_x = weight.map(|weight| linear(gradient, as_matrix(weight).transposed(), None));
        [of_x, of_weight, of_bias]
    }

    fn forward_packed(x: &Flat, words: &Flat, layout: PackedLayout, bias: Option<&Flat>) -> Flat {
        let (x_rows, [_, n]) = (as_rows(x), layout.dims());
        let (mut y, write) = match bias {
            Some(bias) => (elements(bias).repeat(x_rows.rows()), Write::Add),
            None => (vec![0.0; x_rows.rows() * n], Write::Replace),
        };
        multiply_packed(&mut y, write, x_rows, as_packed(words, layout));
        let mut shape = shape(x);
        let dims = shape.num_dims();
        shape[dims - 1] = n;
        tensor(y, shape)
    }

    fn backward_packed(gradient: &Flat, words: &Flat, layout: PackedLayout, _: Option<Flat>) -> Flat {
        Self::forward_packed(gradient, words, layout.turned(), None)
    }

    fn unpacked(words: &Flat, layout: PackedLayout) -> Flat {
        let mut numbers = vec![0.0; layout.rows * layout.columns];
        as_packed(words, layout).rows(0..layout.rows, &mut numbers);
        tensor(numbers, [layout.rows, layout.columns])
    }

    fn unpacked_chosen(words: &Flat, ids: &Flat, layout: PackedLayout) -> Flat {
        let (ids, packed) = (places(ids), as_packed(words, layout));
        let mut numbers = vec![0.0; ids.len() * layout.columns];
        let rows = numbers.chunks_exact_mut(layout.columns.max(1));
        ids.iter().zip(rows).for_each(|(id, row)| packed.rows(*id..*id + 1, row));
        tensor(numbers, [ids.len(), layout.columns])
    }

    fn forward_add_low_rank(y: Flat, x: &Flat, a: &Flat, b: &Flat, scaling: f32) -> (Flat, Flat) {
        let inner = change(linear(x, as_matrix(a), None), |inner| slices::scale(inner, scaling));
        let b = as_matrix(b);
        let y = change(y, |y| multiply(y, b.columns(), Write::Add, as_rows(&inner), b));
        (y, inner)
    }

    fn backward_add_low_rank(
        x: &Flat,
        [a, b]: [&Flat; 2],
        inner: &Flat,
        scaling: f32,
        gradient: &Flat,
        [of_x, of_a, of_b]: [bool; 3],
        _: Option<Flat>,
    ) -> Wanted<Self, 3> {
        let found_b = of_b.then(|| transposed_product(as_rows(inner), as_rows(gradient)));
        if !(of_x || of_a) {
            return [None, None, found_b];
        }
        let of_inner = linear(gradient, as_matrix(b).transposed(), None);
        let of_inner = change(of_inner, |inner| slices::scale(inner, scaling));
        let found_a = of_a.then(|| transposed_product(as_rows(x), as_rows(&of_inner)));
        let found_x = of_x.then(|| linear(&of_inner, as_matrix(a).transposed(), None));
        [found_x, found_a, found_b]
    }

    fn forward_relu(x: Flat) -> Flat {
        change(x, slices::relu)
    }

    fn backward_relu(y: &Flat, gradient: Flat) -> Flat {
        change(gradient, |g| slices::relu_backward(elements(y), g))
    }

    fn forward_gelu_new(x: &Flat) -> Flat {
        like(x, |y| slices::gelu_new(elements(x), y))
    }

    fn backward_gelu_new(x: &Flat, gradient: Flat) -> Flat {
        change(gradient, |g| slices::gelu_new_backward(elements(x), g))
    }

    fn turn(x: &Flat, rotation: Rotation, back: bool) -> Flat {
        let (length, width) = (x.layout().shape()[1], last(x));
        let angles = rotation.angles(length);
        let mut values = elements(x).to_vec();
        slices::rotate(&mut values, width, length, rotation, &angles, back);
        tensor(values, shape(x))
    }

    fn forward_gated(gate: &Flat, x: &Flat) -> Flat {
        like(x, |y| slices::gated(elements(gate), elements(x), y))
    }

    fn backward_gated(gate: &Flat, x: &Flat, gradient: &Flat, [of_gate, of_x]: [bool; 2]) -> Wanted<Self, 2> {
        let (gates, xs, g) = (elements(gate), elements(x), elements(gradient));
        let of_gate = of_gate.then(|| like(gate, |of_gate| slices::gated_backward(gates, xs, g, of_gate)));
        // SiLU(gate)·gradient
        let of_x = of_x.then(|| like(x, |of_x| slices::gated(gates, g, of_x)));
        [of_gate, of_x]
    }

    fn forward_attention([q, k, v]: &[Flat; 3], heads: Heads) -> (Flat, Flat) {
        let attention = attention_of(q, k, heads);
        let mut weights = vec![0.0; attention.weights()];
        let out = like(q, |out| attention.forward(elements(q), elements(k), elements(v), &mut weights, out));
        (out, tensor(weights, [attention.sequences, heads.queries, attention.queries, attention.keys]))
    }

    fn backward_attention(
        inputs: &[Flat; 3],
        weights: &Flat,
        heads: Heads,
        gradient: &Flat,
        wanted: [bool; 3],
    ) -> Wanted<Self, 3> {
        let [q, k, v] = inputs;
        let mut found: [Option<Vec<f32>>; 3] =
            std::array::from_fn(|i| wanted[i].then(|| vec![0.0; elements(&inputs[i]).len()]));
        let into = found.each_mut().map(|values| values.as_deref_mut());
        attention_of(q, k, heads).backward([q, k, v].map(elements), elements(weights), elements(gradient), into);
        let mut shapes = inputs.iter().map(shape);
        found.map(|values| {
            let shape = shapes.next();
            values.zip(shape).map(|(values, shape)| tensor(values, shape))
        })
    }

    fn forward_cross_entropy(logits: Flat, targets: Vec<i32>) -> (Flat, Flat, Vec<i32>) {
        let mut losses = Vec::new();
        let probabilities = change(logits, |x| losses = slices::cross_entropy(x, &targets));
        let n = losses.len();
        (tensor(losses, [n]), probabilities, targets)
    }

    fn backward_cross_entropy(probabilities: Flat, targets: &Vec<i32>, gradient: Flat) -> Flat {
        change(probabilities, |p| slices::cross_entropy_backward(p, targets, elements(&gradient)))
    }
}
