//! The kernels on a tape, for every backend that has their passes.

use super::backward::FusedBackward;
use super::gradients::{
    AddLowRank, Attention, CrossEntropy, Gated, GeluNew, LayerNorm, Linear, PackedLinear, PackedProduct, Product, Relu,
    RmsNorm, Rotate, Sum, TurnedAttention, linear_state,
};
use super::{FusedOps, Heads, PackedLayout, Rotation};
use burn::backend::Autodiff;
use burn::backend::AutodiffBackend;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward, NodeGuard, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};

type Tracked<B, C> = FloatTensor<Autodiff<B, C>>;

/// The product of a packed matrix with what `node` made.
fn packed_product<B: FusedBackward, C: CheckpointStrategy>(
    node: NodeGuard,
    words: IntTensor<B>,
    layout: PackedLayout,
    y: FloatTensor<B>,
) -> Tracked<B, C> {
    match Backward::<B, 1>::prepare::<C>(PackedProduct, [node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((words, layout), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

impl<B: FusedBackward, C: CheckpointStrategy> FusedOps for Autodiff<B, C> {
    fn layer_norm_rows(x: Tracked<B, C>, scale: Tracked<B, C>, bias: Tracked<B, C>, epsilon: f32) -> Tracked<B, C> {
        let nodes = [x.node(), scale.node(), bias.node()];
        let [x, scale, bias] = [x, scale, bias].map(|t| B::contiguous(t.into_primitive()));
        let (y, moments) = B::forward_layer_norm(&x, &scale, &bias, epsilon);
        match Backward::<B, 3>::prepare::<C>(LayerNorm, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, scale, moments), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn rms_norm_rows(x: Tracked<B, C>, scale: Tracked<B, C>, epsilon: f32) -> Tracked<B, C> {
        let nodes = [x.node(), scale.node()];
        let [x, scale] = [x, scale].map(|t| B::contiguous(t.into_primitive()));
        let (y, moments) = B::forward_rms_norm(&x, &scale, epsilon);
        match Backward::<B, 2>::prepare::<C>(RmsNorm, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, scale, moments), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn sum_layer_norm_rows(
        x: Tracked<B, C>,
        y: Tracked<B, C>,
        scale: Tracked<B, C>,
        bias: Tracked<B, C>,
        epsilon: f32,
    ) -> (Tracked<B, C>, Tracked<B, C>) {
        let (lines, of_norm) = ([x.node(), y.node()], [scale.node(), bias.node()]);
        let [x, y, scale, bias] = [x, y, scale, bias].map(|t| B::contiguous(t.into_primitive()));
        let (sum, normed, moments) = B::forward_sum_layer_norm(&x, &y, &scale, &bias, epsilon);
        let whole = Backward::<B, 2>::prepare::<C>(Sum, lines).compute_bound().stateless(sum.clone());
        let [of_scale, of_bias] = of_norm;
        let nodes = [whole.node(), of_scale, of_bias];
        let normed = match Backward::<B, 3>::prepare::<C>(LayerNorm, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((sum, scale, moments), normed),
            OpsKind::UnTracked(prep) => prep.finish(normed),
        };
        (whole, normed)
    }

    fn sum_rms_norm_rows(
        x: Tracked<B, C>,
        y: Tracked<B, C>,
        scale: Tracked<B, C>,
        epsilon: f32,
    ) -> (Tracked<B, C>, Tracked<B, C>) {
        let (lines, of_scale) = ([x.node(), y.node()], scale.node());
        let [x, y, scale] = [x, y, scale].map(|t| B::contiguous(t.into_primitive()));
        let (sum, normed, moments) = B::forward_sum_rms_norm(&x, &y, &scale, epsilon);
        let whole = Backward::<B, 2>::prepare::<C>(Sum, lines).compute_bound().stateless(sum.clone());
        let nodes = [whole.node(), of_scale];
        let normed = match Backward::<B, 2>::prepare::<C>(RmsNorm, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((sum, scale, moments), normed),
            OpsKind::UnTracked(prep) => prep.finish(normed),
        };
        (whole, normed)
    }

    fn linear_rows(x: Tracked<B, C>, weight: Tracked<B, C>, bias: Tracked<B, C>) -> Tracked<B, C> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let wanted = [x.is_tracked(), weight.is_tracked()];
        let [x, weight, bias] = [x, weight, bias].map(|t| t.into_primitive());
        let (x, bias) = (B::contiguous(x), B::contiguous(bias));
        let y = B::forward_linear(&x, &weight, Some(&bias));
        match Backward::<B, 3>::prepare::<C>(Linear, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(linear_state::<B>(x, weight, wanted), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn product_rows(x: Tracked<B, C>, weight: Tracked<B, C>) -> Tracked<B, C> {
        let nodes = [x.node(), weight.node()];
        let wanted = [x.is_tracked(), weight.is_tracked()];
        let (x, weight) = (B::contiguous(x.into_primitive()), weight.into_primitive());
        let y = B::forward_linear(&x, &weight, None);
        match Backward::<B, 2>::prepare::<C>(Product, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(linear_state::<B>(x, weight, wanted), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn packed_linear_rows(
        x: Tracked<B, C>,
        words: IntTensor<Self>,
        bias: Tracked<B, C>,
        layout: PackedLayout,
    ) -> Tracked<B, C> {
        let nodes = [x.node(), bias.node()];
        let [x, bias] = [x, bias].map(|t| B::contiguous(t.into_primitive()));
        let y = B::forward_packed(&x, &words, layout, Some(&bias));
        match Backward::<B, 2>::prepare::<C>(PackedLinear, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((words, layout), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn packed_product_rows(x: Tracked<B, C>, words: IntTensor<Self>, layout: PackedLayout) -> Tracked<B, C> {
        let (x, node) = x.into_parts();
        let y = B::forward_packed(&B::contiguous(x), &words, layout, None);
        packed_product::<B, C>(node, words, layout, y)
    }

    fn packed_pair_rows(
        x: Tracked<B, C>,
        first: IntTensor<Self>,
        second: IntTensor<Self>,
        layouts: [PackedLayout; 2],
    ) -> (Tracked<B, C>, Tracked<B, C>) {
        let nodes = [x.node(), x.node()];
        let ys = B::forward_packed_pair(&B::contiguous(x.into_primitive()), [&first, &second], layouts);
        let ([a, b], [node, other], [l, m]) = (ys, nodes, layouts);
        (packed_product::<B, C>(node, first, l, a), packed_product::<B, C>(other, second, m, b))
    }

    fn packed_triple_rows(
        x: Tracked<B, C>,
        first: IntTensor<Self>,
        second: IntTensor<Self>,
        third: IntTensor<Self>,
        layouts: [PackedLayout; 3],
    ) -> (Tracked<B, C>, Tracked<B, C>, Tracked<B, C>) {
        let nodes = [x.node(), x.node(), x.node()];
        let ys = B::forward_packed_triple(&B::contiguous(x.into_primitive()), [&first, &second, &third], layouts);
        let ([a, b, c], [i, j, k], [l, m, n]) = (ys, nodes, layouts);
        (
            packed_product::<B, C>(i, first, l, a),
            packed_product::<B, C>(j, second, m, b),
            packed_product::<B, C>(k, third, n, c),
        )
    }

    // What is frozen has no node.
    fn unpacked_rows(words: IntTensor<Self>, layout: PackedLayout) -> Tracked<B, C> {
        Self::from_inner(B::unpacked(&words, layout))
    }

    fn unpacked_chosen_rows(words: IntTensor<Self>, ids: IntTensor<Self>, layout: PackedLayout) -> Tracked<B, C> {
        Self::from_inner(B::unpacked_chosen(&words, &ids, layout))
    }

    fn add_low_rank_rows(
        y: Tracked<B, C>,
        x: Tracked<B, C>,
        a: Tracked<B, C>,
        b: Tracked<B, C>,
        scaling: f32,
    ) -> Tracked<B, C> {
        let nodes = [y.node(), x.node(), a.node(), b.node()];
        let [y, x, a, b] = [y, x, a, b].map(|t| t.into_primitive());
        let x = B::contiguous(x);
        let (y, inner) = B::forward_add_low_rank(y, &x, &a, &b, scaling);
        match Backward::<B, 4>::prepare::<C>(AddLowRank, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, a, b, inner, scaling), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn sum_elements(x: Tracked<B, C>, y: Tracked<B, C>) -> Tracked<B, C> {
        let nodes = [x.node(), y.node()];
        let sum = B::float_add(x.into_primitive(), y.into_primitive());
        Backward::<B, 2>::prepare::<C>(Sum, nodes).compute_bound().stateless(sum)
    }

    fn relu_elements(x: Tracked<B, C>) -> Tracked<B, C> {
        let (x, node) = x.into_parts();
        let y = B::forward_relu(x);
        match Backward::<B, 1>::prepare::<C>(Relu, [node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(y.clone(), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn rotate_heads(x: Tracked<B, C>, rotation: Rotation) -> Tracked<B, C> {
        let (x, node) = x.into_parts();
        let y = B::turn(&B::contiguous(x), rotation, false);
        match Backward::<B, 1>::prepare::<C>(Rotate, [node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(rotation, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn gated_elements(gate: Tracked<B, C>, x: Tracked<B, C>) -> Tracked<B, C> {
        let nodes = [gate.node(), x.node()];
        let inputs = [gate, x].map(|t| B::contiguous(t.into_primitive()));
        let y = B::forward_gated(&inputs[0], &inputs[1]);
        match Backward::<B, 2>::prepare::<C>(Gated, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(inputs, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn attention_heads(q: Tracked<B, C>, k: Tracked<B, C>, v: Tracked<B, C>, heads: Heads) -> Tracked<B, C> {
        let nodes = [q.node(), k.node(), v.node()];
        let inputs = [q, k, v].map(|t| B::contiguous(t.into_primitive()));
        let (out, weights) = B::forward_attention(&inputs, heads);
        match Backward::<B, 3>::prepare::<C>(Attention, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((inputs, weights, heads), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn turned_attention_heads(
        q: Tracked<B, C>,
        k: Tracked<B, C>,
        v: Tracked<B, C>,
        heads: Heads,
        rotation: Rotation,
    ) -> Tracked<B, C> {
        let nodes = [q.node(), k.node(), v.node()];
        let [q, k, v] = [q, k, v].map(|t| B::contiguous(t.into_primitive()));
        let [q, k] = B::turn_both([&q, &k], rotation, false);
        let inputs = [q, k, v];
        let (out, weights) = B::forward_attention(&inputs, heads);
        match Backward::<B, 3>::prepare::<C>(TurnedAttention, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((inputs, weights, heads, rotation), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn gelu_new_elements(x: Tracked<B, C>) -> Tracked<B, C> {
        let (x, node) = x.into_parts();
        let x = B::contiguous(x);
        let y = B::forward_gelu_new(&x);
        match Backward::<B, 1>::prepare::<C>(GeluNew, [node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(x, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn cross_entropy_rows(logits: Tracked<B, C>, targets: Vec<i32>) -> Tracked<B, C> {
        let (logits, node) = logits.into_parts();
        let (losses, probabilities, targets) = B::forward_cross_entropy(logits, targets);
        match Backward::<B, 1>::prepare::<C>(CrossEntropy, [node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((probabilities, targets), losses),
            OpsKind::UnTracked(prep) => prep.finish(losses),
        }
    }
}
