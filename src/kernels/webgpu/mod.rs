//! The kernels on WebGPU, in WGSL of our own: Burn's operations are one dispatch each, and a dispatch costs
//! more than what a small network has to compute in it.

pub mod adam;
mod packed;
mod product;
mod shader;

use super::backward::{FusedBackward, Wanted};
use super::{Heads, PackedLayout, Rotation};
use burn::backend::Cube;
use burn::tensor::{DType, Shape};
use burn_wgpu::CubeTensor;
use product::{Also, Matrix, Product, both, elements, last, of_one_left, on_top, with_last};
use shader::{Shader, contiguous, empty};
use std::cell::RefCell;
use std::collections::VecDeque;

const LAYER_NORM: Shader = Shader::reducing(include_str!("layer_norm.wgsl"));
const LAYER_NORM_BACKWARD: Shader = Shader::reducing(include_str!("layer_norm_backward.wgsl"));
const LAYER_NORM_PARAMETERS: Shader = Shader::new(include_str!("layer_norm_parameters.wgsl"), [8, 8]);
const RMS_NORM: Shader = LAYER_NORM.with(&[("ROOT", 1)]);
const RMS_NORM_BACKWARD: Shader = LAYER_NORM_BACKWARD.with(&[("ROOT", 1)]);
const LAYER_NORM_OF_SUM: Shader = LAYER_NORM.with(&[("SUM", 1)]);
const RMS_NORM_OF_SUM: Shader = LAYER_NORM.with(&[("ROOT", 1), ("SUM", 1)]);
const LAYER_NORM_BACKWARD_ADD: Shader = LAYER_NORM_BACKWARD.with(&[("ADD", 1)]);
const RMS_NORM_BACKWARD_ADD: Shader = LAYER_NORM_BACKWARD.with(&[("ROOT", 1), ("ADD", 1)]);
const RMS_NORM_SCALE: Shader = LAYER_NORM_PARAMETERS.with(&[("ROOT", 1)]);
const ROTATE: Shader = Shader::new(include_str!("rotate.wgsl"), [256, 1]);
const ROTATE_PAIR: Shader = ROTATE.with(&[("PAIR", 1)]);
const GATED: Shader = Shader::new(include_str!("gated.wgsl"), [256, 1]);
const GATED_BACKWARD: Shader = GATED.with(&[("BACKWARD", 1)]);
const COLUMN_SUMS: Shader = Shader::new(include_str!("column_sums.wgsl"), [8, 8]);
const ATTENTION: Shader = Shader::reducing(include_str!("attention.wgsl"));
const ATTENTION_QUERIES: Shader = Shader::reducing(include_str!("attention_queries.wgsl"));
const ATTENTION_KEYS: Shader = Shader::new(include_str!("attention_keys.wgsl"), [64, 1]);
const CROSS_ENTROPY: Shader = Shader::reducing(include_str!("cross_entropy.wgsl"));
const CROSS_ENTROPY_BACKWARD: Shader = Shader::new(include_str!("cross_entropy_backward.wgsl"), [256, 1]);
const ELEMENTS: Shader = Shader::new(include_str!("elements.wgsl"), [256, 1]);
const RELU: Shader = ELEMENTS.with(&[("RELU", 1)]);
const RELU_BACKWARD: Shader = ELEMENTS.with(&[("RELU", 1), ("BACKWARD", 1)]);
const GELU: Shader = ELEMENTS.with(&[("GELU", 1)]);
const GELU_BACKWARD: Shader = ELEMENTS.with(&[("GELU", 1), ("BACKWARD", 1)]);

/// A program over the elements of `inputs`, into a tensor like the first.
fn elementwise(shader: Shader, inputs: &[&CubeTensor]) -> CubeTensor {
    let out = empty(inputs[0], inputs[0].meta.shape().clone());
    let n = elements(&out);
    shader.launch(inputs, &[&out], &[n as u32], [n.div_ceil(256), 1]);
    out
}

/// Sums of the columns of `[.., n]`.
fn column_sums(x: &CubeTensor) -> CubeTensor {
    let n = last(x);
    let sums = empty(x, [n]);
    COLUMN_SUMS.launch(&[x], &[&sums], &[(elements(x) / n.max(1)) as u32, n as u32], [n.div_ceil(8), 1]);
    sums
}

/// Shape of an attention as its programs read it, and sequences · heads, queries, keys.
fn attention_info(q: &CubeTensor, k: &CubeTensor, heads: Heads) -> ([u32; 6], [usize; 3]) {
    let (q, k) = (q.meta.shape(), k.meta.shape());
    let scale = 1.0 / ((q[2] / heads.queries) as f32).sqrt();
    let [queries, keys, width, of_queries, of_keys] =
        [q[1], k[1], q[2], heads.queries, heads.keys].map(|size| size as u32);
    ([queries, keys, width, of_queries, scale.to_bits(), of_keys], [q[0] * heads.queries, q[1], k[1]])
}

/// Numbers that a program reads, on the device of another tensor.
fn uploaded(like: &CubeTensor, bytes: &[u8], shape: impl Into<Shape>, dtype: DType) -> CubeTensor {
    let handle = like.client.create_from_slice(bytes);
    CubeTensor::new_contiguous(like.client.clone(), like.device.clone(), shape.into(), handle, dtype)
}

/// Cosines and sines that turn a tensor. Those of the last lengths stay on the device: every upload hands a GPU what was
/// recorded so far, and each block turns by the same.
fn angles(like: &CubeTensor, rotation: Rotation, length: usize) -> CubeTensor {
    const KEPT: usize = 8;
    thread_local! {
        static ANGLES: RefCell<VecDeque<(Rotation, CubeTensor)>> = const { RefCell::new(VecDeque::new()) };
    }
    ANGLES.with_borrow_mut(|kept| {
        let found = kept
            .iter()
            .find(|(of, angles)| *of == rotation && angles.meta.shape()[0] == length && angles.device == like.device);
        if let Some((_, angles)) = found {
            return angles.clone();
        }
        let bytes: Vec<u8> = rotation.angles(length).into_iter().flatten().flat_map(f32::to_le_bytes).collect();
        let angles = uploaded(like, &bytes, [length, rotation.dims], DType::F32);
        kept.truncate(KEPT - 1);
        kept.push_front((rotation, angles.clone()));
        angles
    })
}

/// x + y, its norm, and the rows' moments; `inputs` are x, y and the norm's.
fn norm_of_sum(shader: Shader, inputs: &[&CubeTensor], epsilon: f32) -> (CubeTensor, CubeTensor, CubeTensor) {
    let x = inputs[0];
    let n = last(x);
    let rows = elements(x) / n.max(1);
    let [sum, normed] = [0, 1].map(|_| empty(x, x.meta.shape().clone()));
    let moments = empty(x, [rows, 2]);
    shader.launch(inputs, &[&normed, &moments, &sum], &[rows as u32, n as u32, epsilon.to_bits()], [rows, 1]);
    (sum, normed, moments)
}

impl FusedBackward for Cube {
    type Moments = CubeTensor;
    type Targets = CubeTensor;

    const ADDS: bool = true;

    fn contiguous(x: CubeTensor) -> CubeTensor {
        contiguous(x)
    }

    fn forward_layer_norm(
        x: &CubeTensor,
        scale: &CubeTensor,
        bias: &CubeTensor,
        epsilon: f32,
    ) -> (CubeTensor, CubeTensor) {
        let n = last(x);
        let rows = elements(x) / n.max(1);
        let (y, moments) = (empty(x, x.meta.shape().clone()), empty(x, [rows, 2]));
        let info = [rows as u32, n as u32, epsilon.to_bits()];
        LAYER_NORM.launch(&[x, scale, bias], &[&y, &moments], &info, [rows, 1]);
        (y, moments)
    }

    fn backward_layer_norm(
        x: &CubeTensor,
        scale: &CubeTensor,
        moments: &CubeTensor,
        gradient: CubeTensor,
        [of_x, of_scale, of_bias]: [bool; 3],
        earlier: Option<CubeTensor>,
    ) -> Wanted<Self, 3> {
        let n = last(x);
        let rows = elements(x) / n.max(1);
        let info = [rows as u32, n as u32];
        let (mut s, mut b) = (None, None);
        if of_scale || of_bias {
            let (scales, biases) = (empty(x, [n]), empty(x, [n]));
            let groups = [n.div_ceil(8), 1];
            LAYER_NORM_PARAMETERS.launch(&[x, moments, &gradient], &[&scales, &biases], &info, groups);
            (s, b) = (Some(scales), Some(biases));
        }
        let g = of_x.then(|| {
            let g = empty(x, x.meta.shape().clone());
            let mut inputs = vec![x, scale, moments, &gradient];
            inputs.extend(&earlier);
            let shader = if earlier.is_some() { LAYER_NORM_BACKWARD_ADD } else { LAYER_NORM_BACKWARD };
            shader.launch(&inputs, &[&g], &info, [rows, 1]);
            g
        });
        [g, s, b]
    }

    fn forward_rms_norm(x: &CubeTensor, scale: &CubeTensor, epsilon: f32) -> (CubeTensor, CubeTensor) {
        let n = last(x);
        let rows = elements(x) / n.max(1);
        let (y, moments) = (empty(x, x.meta.shape().clone()), empty(x, [rows, 2]));
        let info = [rows as u32, n as u32, epsilon.to_bits()];
        RMS_NORM.launch(&[x, scale], &[&y, &moments], &info, [rows, 1]);
        (y, moments)
    }

    fn backward_rms_norm(
        x: &CubeTensor,
        scale: &CubeTensor,
        moments: &CubeTensor,
        gradient: CubeTensor,
        [of_x, of_scale]: [bool; 2],
        earlier: Option<CubeTensor>,
    ) -> Wanted<Self, 2> {
        let n = last(x);
        let rows = elements(x) / n.max(1);
        let info = [rows as u32, n as u32];
        let s = of_scale.then(|| {
            let scales = empty(x, [n]);
            RMS_NORM_SCALE.launch(&[x, moments, &gradient], &[&scales], &info, [n.div_ceil(8), 1]);
            scales
        });
        let g = of_x.then(|| {
            let g = empty(x, x.meta.shape().clone());
            let mut inputs = vec![x, scale, moments, &gradient];
            inputs.extend(&earlier);
            let shader = if earlier.is_some() { RMS_NORM_BACKWARD_ADD } else { RMS_NORM_BACKWARD };
            shader.launch(&inputs, &[&g], &info, [rows, 1]);
            g
        });
        [g, s]
    }

    fn forward_sum_layer_norm(
        x: &CubeTensor,
        y: &CubeTensor,
        scale: &CubeTensor,
        bias: &CubeTensor,
        epsilon: f32,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        norm_of_sum(LAYER_NORM_OF_SUM, &[x, y, scale, bias], epsilon)
    }

    fn forward_sum_rms_norm(
        x: &CubeTensor,
        y: &CubeTensor,
        scale: &CubeTensor,
        epsilon: f32,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        norm_of_sum(RMS_NORM_OF_SUM, &[x, y, scale], epsilon)
    }

    fn forward_linear(x: &CubeTensor, weight: &CubeTensor, bias: Option<&CubeTensor>) -> CubeTensor {
        let weight = Matrix::of(weight);
        let also = bias.map_or(Also::Nothing, Also::Bias);
        Matrix::rows(x).times(weight, 1.0, also, with_last(x, weight.size[1]))
    }

    fn backward_linear(
        x: Option<(&CubeTensor, bool)>,
        weight: Option<&CubeTensor>,
        gradient: &CubeTensor,
        bias: bool,
        earlier: Option<CubeTensor>,
    ) -> Wanted<Self, 3> {
        let g = Matrix::rows(gradient);
        let n = g.size[1];
        let (of_weight, of_bias) = match x.map(|(x, _)| Matrix::rows(x)) {
            // On the way through the gradient's rows.
            Some(x) if bias => {
                let sums = empty(gradient, [n]);
                (Some(x.transposed().times(g, 1.0, Also::Sums(&sums), [x.size[1], n])), Some(sums))
            }
            Some(x) => (Some(x.transposed().times(g, 1.0, Also::Nothing, [x.size[1], n])), None),
            None => (None, bias.then(|| column_sums(gradient))),
        };
        let of_x = weight.map(|weight| {
            let weight = Matrix::of(weight).transposed();
            g.times(weight, 1.0, on_top(&earlier), with_last(gradient, weight.size[1]))
        });
        [of_x, of_weight, of_bias]
    }

    fn forward_packed(
        x: &CubeTensor,
        words: &CubeTensor,
        layout: PackedLayout,
        bias: Option<&CubeTensor>,
    ) -> CubeTensor {
        let matrix = Matrix::packed(words, layout);
        let also = bias.map_or(Also::Nothing, Also::Bias);
        Matrix::rows(x).times(matrix, 1.0, also, with_last(x, matrix.size[1]))
    }

    fn forward_packed_pair(x: &CubeTensor, words: [&CubeTensor; 2], layouts: [PackedLayout; 2]) -> [CubeTensor; 2] {
        of_one_left(x, [0, 1].map(|i| (words[i], layouts[i])))
    }

    fn forward_packed_triple(x: &CubeTensor, words: [&CubeTensor; 3], layouts: [PackedLayout; 3]) -> [CubeTensor; 3] {
        of_one_left(x, [0, 1, 2].map(|i| (words[i], layouts[i])))
    }

    fn backward_packed(
        gradient: &CubeTensor,
        words: &CubeTensor,
        layout: PackedLayout,
        earlier: Option<CubeTensor>,
    ) -> CubeTensor {
        let matrix = Matrix::packed(words, layout.turned());
        Matrix::rows(gradient).times(matrix, 1.0, on_top(&earlier), with_last(gradient, matrix.size[1]))
    }

    fn unpacked(words: &CubeTensor, layout: PackedLayout) -> CubeTensor {
        packed::rows(words, None, layout)
    }

    fn unpacked_chosen(words: &CubeTensor, ids: &CubeTensor, layout: PackedLayout) -> CubeTensor {
        packed::rows(words, Some(ids), layout)
    }

    fn forward_add_low_rank(
        y: CubeTensor,
        x: &CubeTensor,
        a: &CubeTensor,
        b: &CubeTensor,
        scaling: f32,
    ) -> (CubeTensor, CubeTensor) {
        let (y, a, b) = (contiguous(y), Matrix::of(a), Matrix::of(b));
        let inner = Matrix::rows(x).times(a, scaling, Also::Nothing, with_last(x, a.size[1]));
        let out = Matrix::rows(&inner).times(b, 1.0, Also::Add(&y), y.meta.shape().clone());
        (out, inner)
    }

    fn backward_add_low_rank(
        x: &CubeTensor,
        [a, b]: [&CubeTensor; 2],
        inner: &CubeTensor,
        scaling: f32,
        gradient: &CubeTensor,
        [of_x, of_a, of_b]: [bool; 3],
        earlier: Option<CubeTensor>,
    ) -> Wanted<Self, 3> {
        let (g, inner) = (Matrix::rows(gradient), Matrix::rows(inner));
        let rank = inner.size[1];
        let of_b_shape = Shape::from([rank, g.size[1]]);
        if !(of_x || of_a) {
            return [None, None, of_b.then(|| inner.transposed().times(g, 1.0, Also::Nothing, of_b_shape))];
        }
        // Neither of two waits for the other: what comes back to B and to x·A, then to A and to x.
        let (down, up) = (Matrix::of(a), Matrix::of(b).transposed());
        let to_inner = Product { left: g, right: up, scale: scaling, shape: with_last(gradient, rank) };
        let (of_inner, found_b) = if of_b {
            let to_b = Product { left: inner.transposed(), right: g, scale: 1.0, shape: of_b_shape };
            let [found_b, of_inner] = both([to_b, to_inner], &None);
            (of_inner, Some(found_b))
        } else {
            (to_inner.alone(), None)
        };
        let (x_rows, of_inner) = (Matrix::rows(x), Matrix::rows(&of_inner));
        let of_a_shape = Shape::from([x_rows.size[1], rank]);
        let to_a = Product { left: x_rows.transposed(), right: of_inner, scale: 1.0, shape: of_a_shape };
        let to_x = Product { left: of_inner, right: down.transposed(), scale: 1.0, shape: x.meta.shape().clone() };
        let (found_a, found_x) = match (of_a, of_x) {
            (true, true) => {
                let [found_a, found_x] = both([to_a, to_x], &earlier);
                (Some(found_a), Some(found_x))
            }
            (true, false) => (Some(to_a.alone()), None),
            (false, _) => (None, Some(to_x.left.times(to_x.right, 1.0, on_top(&earlier), to_x.shape))),
        };
        [found_x, found_a, found_b]
    }

    fn forward_relu(x: CubeTensor) -> CubeTensor {
        elementwise(RELU, &[&contiguous(x)])
    }

    fn backward_relu(y: &CubeTensor, gradient: CubeTensor) -> CubeTensor {
        elementwise(RELU_BACKWARD, &[y, &contiguous(gradient)])
    }

    fn forward_gelu_new(x: &CubeTensor) -> CubeTensor {
        elementwise(GELU, &[x])
    }

    fn backward_gelu_new(x: &CubeTensor, gradient: CubeTensor) -> CubeTensor {
        elementwise(GELU_BACKWARD, &[x, &contiguous(gradient)])
    }

    fn turn(x: &CubeTensor, rotation: Rotation, back: bool) -> CubeTensor {
        let (n, width, length) = (elements(x), last(x), x.meta.shape()[1]);
        let angles = angles(x, rotation, length);
        let y = empty(x, x.meta.shape().clone());
        let info = [n, width, length, rotation.head_dim, rotation.dims, usize::from(back)].map(|size| size as u32);
        ROTATE.launch(&[x, &angles], &[&y], &info, [n.div_ceil(256), 1]);
        y
    }

    fn turn_both([x, y]: [&CubeTensor; 2], rotation: Rotation, back: bool) -> [CubeTensor; 2] {
        let length = x.meta.shape()[1];
        let angles = angles(x, rotation, length);
        let turned = [x, y].map(|x| empty(x, x.meta.shape().clone()));
        let (n, others) = (elements(x), elements(y));
        let info = [n, last(x), length, rotation.head_dim, rotation.dims, usize::from(back), others, last(y)];
        let groups = [n.max(others).div_ceil(256), 1];
        ROTATE_PAIR.launch(&[x, y, &angles], &turned.each_ref(), &info.map(|size| size as u32), groups);
        turned
    }

    fn forward_gated(gate: &CubeTensor, x: &CubeTensor) -> CubeTensor {
        elementwise(GATED, &[gate, x])
    }

    fn backward_gated(
        gate: &CubeTensor,
        x: &CubeTensor,
        gradient: &CubeTensor,
        [of_gate, of_x]: [bool; 2],
    ) -> Wanted<Self, 2> {
        let [found_gate, found_x] = [gate, x].map(|x| empty(x, x.meta.shape().clone()));
        let n = elements(x);
        let (inputs, outputs) = ([gate, x, gradient], [&found_gate, &found_x]);
        GATED_BACKWARD.launch(&inputs, &outputs, &[n as u32], [n.div_ceil(256), 1]);
        [of_gate.then_some(found_gate), of_x.then_some(found_x)]
    }

    fn forward_attention([q, k, v]: &[CubeTensor; 3], heads: Heads) -> (CubeTensor, CubeTensor) {
        let (info, [batch, queries, keys]) = attention_info(q, k, heads);
        let (weights, out) = (empty(q, [batch, queries, keys]), empty(q, q.meta.shape().clone()));
        ATTENTION.launch(&[q, k, v], &[&weights, &out], &info, [queries, batch]);
        (out, weights)
    }

    fn backward_attention(
        [q, k, v]: &[CubeTensor; 3],
        weights: &CubeTensor,
        heads: Heads,
        gradient: &CubeTensor,
        _: [bool; 3],
    ) -> Wanted<Self, 3> {
        let (info, [batch, queries, keys]) = attention_info(q, k, heads);
        let [of_q, of_k, of_v] = [q, k, v].map(|x| empty(x, x.meta.shape().clone()));
        let of_scores = empty(q, [batch, queries, keys]);
        ATTENTION_QUERIES.launch(&[k, v, weights, gradient], &[&of_scores, &of_q], &info, [queries, batch]);
        let batch = batch / heads.group();
        ATTENTION_KEYS.launch(&[q, weights, &of_scores, gradient], &[&of_k, &of_v], &info, [keys, batch]);
        [Some(of_q), Some(of_k), Some(of_v)]
    }

    fn forward_cross_entropy(logits: CubeTensor, targets: Vec<i32>) -> (CubeTensor, CubeTensor, CubeTensor) {
        let logits = contiguous(logits);
        let (rows, n) = (targets.len(), last(&logits));
        let bytes: Vec<u8> = targets.iter().flat_map(|target| target.to_le_bytes()).collect();
        let targets = uploaded(&logits, &bytes, [rows], DType::I32);
        let (losses, probabilities) = (empty(&logits, [rows]), empty(&logits, [rows, n]));
        let info = [rows as u32, n as u32];
        CROSS_ENTROPY.launch(&[&logits, &targets], &[&losses, &probabilities], &info, [rows, 1]);
        (losses, probabilities, targets)
    }

    fn backward_cross_entropy(probabilities: CubeTensor, targets: &CubeTensor, gradient: CubeTensor) -> CubeTensor {
        let [rows, n] = Matrix::rows(&probabilities).size;
        let out = empty(&probabilities, [rows, n]);
        let groups = [(rows * n).div_ceil(256), 1];
        let info = [rows as u32, n as u32];
        CROSS_ENTROPY_BACKWARD.launch(&[&probabilities, targets, &contiguous(gradient)], &[&out], &info, groups);
        out
    }
}
