//! What a backend computes in one pass: forward, with what the pass back needs, and back.

use super::{FusedOps, Heads, PackedLayout, Rotation};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use std::fmt::Debug;

/// A gradient for each input of an operation that wants one.
pub type Wanted<B, const N: usize> = [Option<FloatTensor<B>>; N];

/// The kernels of a backend, forward and back. Shapes are those of [`FusedOps`].
pub trait FusedBackward: FusedOps {
    /// Mean and inverse deviation of each row.
    type Moments: Clone + Send + Debug + 'static;
    /// Classes, where the backend reads them.
    type Targets: Clone + Send + Debug + 'static;

    /// Whether a gradient is added to an earlier one on the way, in the pass that computes it. Where it is not,
    /// nobody gives an earlier one.
    const ADDS: bool = false;

    /// The same numbers in the order of their places, as every other pass wants its inputs (a weight apart).
    fn contiguous(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn forward_layer_norm(
        x: &FloatTensor<Self>,
        scale: &FloatTensor<Self>,
        bias: &FloatTensor<Self>,
        epsilon: f32,
    ) -> (FloatTensor<Self>, Self::Moments);

    /// Gradients of x, on top of an earlier one, of scale and of bias.
    fn backward_layer_norm(
        x: &FloatTensor<Self>,
        scale: &FloatTensor<Self>,
        moments: &Self::Moments,
        gradient: FloatTensor<Self>,
        wanted: [bool; 3],
        earlier: Option<FloatTensor<Self>>,
    ) -> Wanted<Self, 3>;

    fn forward_rms_norm(
        x: &FloatTensor<Self>,
        scale: &FloatTensor<Self>,
        epsilon: f32,
    ) -> (FloatTensor<Self>, Self::Moments);

    /// Gradients of x, on top of an earlier one, and of scale.
    fn backward_rms_norm(
        x: &FloatTensor<Self>,
        scale: &FloatTensor<Self>,
        moments: &Self::Moments,
        gradient: FloatTensor<Self>,
        wanted: [bool; 2],
        earlier: Option<FloatTensor<Self>>,
    ) -> Wanted<Self, 2>;

    /// x + y, and of that what [`forward_layer_norm`](Self::forward_layer_norm) gives.
    fn forward_sum_layer_norm(
        x: &FloatTensor<Self>,
        y: &FloatTensor<Self>,
        scale: &FloatTensor<Self>,
        bias: &FloatTensor<Self>,
        epsilon: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, Self::Moments) {
        let sum = Self::float_add(x.clone(), y.clone());
        let (normed, moments) = Self::forward_layer_norm(&sum, scale, bias, epsilon);
        (sum, normed, moments)
    }

    /// x + y, and of that what [`forward_rms_norm`](Self::forward_rms_norm) gives.
    fn forward_sum_rms_norm(
        x: &FloatTensor<Self>,
        y: &FloatTensor<Self>,
        scale: &FloatTensor<Self>,
        epsilon: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, Self::Moments) {
        let sum = Self::float_add(x.clone(), y.clone());
        let (normed, moments) = Self::forward_rms_norm(&sum, scale, epsilon);
        (sum, normed, moments)
    }

    fn forward_linear(
        x: &FloatTensor<Self>,
        weight: &FloatTensor<Self>,
        bias: Option<&FloatTensor<Self>>,
    ) -> FloatTensor<Self>;

    /// Whether a weight's columns lie one after the other, as those of a head do that is a table of tokens.
    fn lies_in_columns(_weight: &FloatTensor<Self>) -> bool {
        false
    }

    /// Gradients of x, where the weight is given, on top of an earlier one; of the weight, where x is, beside whether it
    /// lies in columns as the weight does; and of the bias.
    fn backward_linear(
        x: Option<(&FloatTensor<Self>, bool)>,
        weight: Option<&FloatTensor<Self>>,
        gradient: &FloatTensor<Self>,
        bias: bool,
        earlier: Option<FloatTensor<Self>>,
    ) -> Wanted<Self, 3>;

    /// x·W, plus a bias, of a packed W.
    fn forward_packed(
        x: &FloatTensor<Self>,
        words: &IntTensor<Self>,
        layout: PackedLayout,
        bias: Option<&FloatTensor<Self>>,
    ) -> FloatTensor<Self>;

    /// x·W of two packed W.
    fn forward_packed_pair(
        x: &FloatTensor<Self>,
        words: [&IntTensor<Self>; 2],
        layouts: [PackedLayout; 2],
    ) -> [FloatTensor<Self>; 2] {
        [0, 1].map(|i| Self::forward_packed(x, words[i], layouts[i], None))
    }

    /// x·W of three packed W.
    fn forward_packed_triple(
        x: &FloatTensor<Self>,
        words: [&IntTensor<Self>; 3],
        layouts: [PackedLayout; 3],
    ) -> [FloatTensor<Self>; 3] {
        [0, 1, 2].map(|i| Self::forward_packed(x, words[i], layouts[i], None))
    }

    /// The gradient of x, on top of an earlier one.
    fn backward_packed(
        gradient: &FloatTensor<Self>,
        words: &IntTensor<Self>,
        layout: PackedLayout,
        earlier: Option<FloatTensor<Self>>,
    ) -> FloatTensor<Self>;

    /// The stored rows in single precision.
    fn unpacked(words: &IntTensor<Self>, layout: PackedLayout) -> FloatTensor<Self>;

    /// Some of them.
    fn unpacked_chosen(words: &IntTensor<Self>, ids: &IntTensor<Self>, layout: PackedLayout) -> FloatTensor<Self>;

    /// y + s·(x·A)·B, and s·(x·A).
    fn forward_add_low_rank(
        y: FloatTensor<Self>,
        x: &FloatTensor<Self>,
        a: &FloatTensor<Self>,
        b: &FloatTensor<Self>,
        scaling: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// Gradients of x, on top of an earlier one, of A and of B; that of y is `gradient` itself.
    fn backward_add_low_rank(
        x: &FloatTensor<Self>,
        ab: [&FloatTensor<Self>; 2],
        inner: &FloatTensor<Self>,
        scaling: f32,
        gradient: &FloatTensor<Self>,
        wanted: [bool; 3],
        earlier: Option<FloatTensor<Self>>,
    ) -> Wanted<Self, 3>;

    fn forward_relu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn backward_relu(y: &FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;

    fn forward_gelu_new(x: &FloatTensor<Self>) -> FloatTensor<Self>;

    fn backward_gelu_new(x: &FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Turned by the rotation, or back.
    fn turn(x: &FloatTensor<Self>, rotation: Rotation, back: bool) -> FloatTensor<Self>;

    /// Two tensors of one length, turned by the rotation, or back.
    fn turn_both(x: [&FloatTensor<Self>; 2], rotation: Rotation, back: bool) -> [FloatTensor<Self>; 2] {
        x.map(|x| Self::turn(x, rotation, back))
    }

    fn forward_gated(gate: &FloatTensor<Self>, x: &FloatTensor<Self>) -> FloatTensor<Self>;

    /// Gradients of gate and x.
    fn backward_gated(
        gate: &FloatTensor<Self>,
        x: &FloatTensor<Self>,
        gradient: &FloatTensor<Self>,
        wanted: [bool; 2],
    ) -> Wanted<Self, 2>;

    /// The output, and the weights `[sequences, heads, queries, keys]`.
    fn forward_attention(inputs: &[FloatTensor<Self>; 3], heads: Heads) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// Gradients of q, k and v.
    fn backward_attention(
        inputs: &[FloatTensor<Self>; 3],
        weights: &FloatTensor<Self>,
        heads: Heads,
        gradient: &FloatTensor<Self>,
        wanted: [bool; 3],
    ) -> Wanted<Self, 3>;

    /// Losses, the probabilities, and the targets.
    fn forward_cross_entropy(
        logits: FloatTensor<Self>,
        targets: Vec<i32>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, Self::Targets);

    fn backward_cross_entropy(
        probabilities: FloatTensor<Self>,
        targets: &Self::Targets,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// A backend's operations without autodiff are its passes forward.
macro_rules! forward_ops {
    ($backend:ty) => {
        impl FusedOps for $backend {
            fn layer_norm_rows(
                x: FloatTensor<Self>,
                scale: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                epsilon: f32,
            ) -> FloatTensor<Self> {
                let [x, scale, bias] = [x, scale, bias].map(Self::contiguous);
                Self::forward_layer_norm(&x, &scale, &bias, epsilon).0
            }

            fn rms_norm_rows(x: FloatTensor<Self>, scale: FloatTensor<Self>, epsilon: f32) -> FloatTensor<Self> {
                Self::forward_rms_norm(&Self::contiguous(x), &Self::contiguous(scale), epsilon).0
            }

            fn sum_layer_norm_rows(
                x: FloatTensor<Self>,
                y: FloatTensor<Self>,
                scale: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                epsilon: f32,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                let [x, y, scale, bias] = [x, y, scale, bias].map(Self::contiguous);
                let (sum, normed, _) = Self::forward_sum_layer_norm(&x, &y, &scale, &bias, epsilon);
                (sum, normed)
            }

            fn sum_rms_norm_rows(
                x: FloatTensor<Self>,
                y: FloatTensor<Self>,
                scale: FloatTensor<Self>,
                epsilon: f32,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                let [x, y, scale] = [x, y, scale].map(Self::contiguous);
                let (sum, normed, _) = Self::forward_sum_rms_norm(&x, &y, &scale, epsilon);
                (sum, normed)
            }

            fn linear_rows(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                Self::forward_linear(&Self::contiguous(x), &weight, Some(&Self::contiguous(bias)))
            }

            fn product_rows(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
                Self::forward_linear(&Self::contiguous(x), &weight, None)
            }

            fn packed_linear_rows(
                x: FloatTensor<Self>,
                words: IntTensor<Self>,
                bias: FloatTensor<Self>,
                layout: PackedLayout,
            ) -> FloatTensor<Self> {
                Self::forward_packed(&Self::contiguous(x), &words, layout, Some(&Self::contiguous(bias)))
            }

            fn packed_product_rows(
                x: FloatTensor<Self>,
                words: IntTensor<Self>,
                layout: PackedLayout,
            ) -> FloatTensor<Self> {
                Self::forward_packed(&Self::contiguous(x), &words, layout, None)
            }

            fn packed_pair_rows(
                x: FloatTensor<Self>,
                first: IntTensor<Self>,
                second: IntTensor<Self>,
                layouts: [PackedLayout; 2],
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                let [a, b] = Self::forward_packed_pair(&Self::contiguous(x), [&first, &second], layouts);
                (a, b)
            }

            fn packed_triple_rows(
                x: FloatTensor<Self>,
                first: IntTensor<Self>,
                second: IntTensor<Self>,
                third: IntTensor<Self>,
                layouts: [PackedLayout; 3],
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                let words = [&first, &second, &third];
                let [a, b, c] = Self::forward_packed_triple(&Self::contiguous(x), words, layouts);
                (a, b, c)
            }

            fn unpacked_rows(words: IntTensor<Self>, layout: PackedLayout) -> FloatTensor<Self> {
                Self::unpacked(&words, layout)
            }

            fn unpacked_chosen_rows(
                words: IntTensor<Self>,
                ids: IntTensor<Self>,
                layout: PackedLayout,
            ) -> FloatTensor<Self> {
                Self::unpacked_chosen(&words, &ids, layout)
            }

            fn add_low_rank_rows(
                y: FloatTensor<Self>,
                x: FloatTensor<Self>,
                a: FloatTensor<Self>,
                b: FloatTensor<Self>,
                scaling: f32,
            ) -> FloatTensor<Self> {
                Self::forward_add_low_rank(y, &Self::contiguous(x), &a, &b, scaling).0
            }

            fn sum_elements(x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
                Self::float_add(x, y)
            }

            fn relu_elements(x: FloatTensor<Self>) -> FloatTensor<Self> {
                Self::forward_relu(x)
            }

            fn attention_heads(
                q: FloatTensor<Self>,
                k: FloatTensor<Self>,
                v: FloatTensor<Self>,
                heads: Heads,
            ) -> FloatTensor<Self> {
                Self::forward_attention(&[q, k, v].map(Self::contiguous), heads).0
            }

            fn turned_attention_heads(
                q: FloatTensor<Self>,
                k: FloatTensor<Self>,
                v: FloatTensor<Self>,
                heads: Heads,
                rotation: Rotation,
            ) -> FloatTensor<Self> {
                let [q, k, v] = [q, k, v].map(Self::contiguous);
                let [q, k] = Self::turn_both([&q, &k], rotation, false);
                Self::forward_attention(&[q, k, v], heads).0
            }

            fn rotate_heads(x: FloatTensor<Self>, rotation: Rotation) -> FloatTensor<Self> {
                Self::turn(&Self::contiguous(x), rotation, false)
            }

            fn gated_elements(gate: FloatTensor<Self>, x: FloatTensor<Self>) -> FloatTensor<Self> {
                Self::forward_gated(&Self::contiguous(gate), &Self::contiguous(x))
            }

            fn gelu_new_elements(x: FloatTensor<Self>) -> FloatTensor<Self> {
                Self::forward_gelu_new(&Self::contiguous(x))
            }

            fn cross_entropy_rows(logits: FloatTensor<Self>, targets: Vec<i32>) -> FloatTensor<Self> {
                Self::forward_cross_entropy(logits, targets).0
            }
        }
    };
}

forward_ops!(burn::backend::Flex);
#[cfg(feature = "webgpu")]
forward_ops!(burn::backend::Cube);
