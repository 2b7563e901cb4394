//! The kernels' gradients, for every backend that has the passes.

use super::backward::FusedBackward;
use super::{FusedOps, Heads, PackedLayout, Rotation};
use burn::backend::Autodiff;
use burn::backend::AutodiffBackend;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::{FloatTensor, IntTensor};
use std::cell::RefCell;
use std::collections::HashSet;

type Tracked<B, C> = FloatTensor<Autodiff<B, C>>;

thread_local! {
    /// Nodes to which an operation of ours gave a gradient in the pass under way, where a backend can add to it
    /// while it computes another: Burn does not say which have one.
    static BEGUN: RefCell<HashSet<NodeId>> = RefCell::default();
}

/// Registers what was found for each node that wants a gradient.
macro_rules! register {
    ($gradients:ident, $nodes:expr, $found:expr) => {
        for (node, gradient) in $nodes.into_iter().zip($found) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                // A leaf keeps what it has: it cannot be taken.
                if B::ADDS && node.order > 0 {
                    BEGUN.with_borrow_mut(|begun| begun.insert(node.id));
                }
                $gradients.register::<B>(node.id, gradient);
            }
        }
    };
}

/// Takes what a node has already, so that the next gradient is added to it on the way.
macro_rules! earlier {
    ($gradients:ident, $node:expr) => {
        match &$node {
            Some(node) if BEGUN.with_borrow_mut(|begun| begun.remove(&node.id)) => {
                Some(B::contiguous($gradients.consume::<B>(node)))
            }
            _ => None,
        }
    };
}

#[derive(Debug)]
struct LayerNorm;

impl<B: FusedBackward> Backward<B, 3> for LayerNorm {
    /// x, scale, and the rows' moments.
    type State = (FloatTensor<B>, FloatTensor<B>, B::Moments);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = B::contiguous(gradients.consume::<B>(&ops.node));
        let (x, scale, moments) = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let earlier = earlier!(gradients, ops.parents[0]);
        let found = B::backward_layer_norm(&x, &scale, &moments, gradient, wanted, earlier);
        register!(gradients, ops.parents, found);
    }
}

#[derive(Debug)]
struct RmsNorm;

impl<B: FusedBackward> Backward<B, 2> for RmsNorm {
    /// x, scale, and the rows' moments.
    type State = (FloatTensor<B>, FloatTensor<B>, B::Moments);

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = B::contiguous(gradients.consume::<B>(&ops.node));
        let (x, scale, moments) = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let earlier = earlier!(gradients, ops.parents[0]);
        let found = B::backward_rms_norm(&x, &scale, &moments, gradient, wanted, earlier);
        register!(gradients, ops.parents, found);
    }
}

#[derive(Debug)]
struct Linear;

/// What [`Linear`] needs: x for the weight's gradient, the weight for that of x.
type LinearState<B> = (Option<FloatTensor<B>>, Option<FloatTensor<B>>);

impl<B: FusedBackward> Backward<B, 3> for Linear {
    type State = LinearState<B>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = B::contiguous(gradients.consume::<B>(&ops.node));
        let (x, weight) = ops.state;
        let bias = ops.parents[2].is_some();
        let earlier = earlier!(gradients, ops.parents[0]);
        let found = B::backward_linear(x.as_ref(), weight.as_ref(), &gradient, bias, earlier);
        register!(gradients, ops.parents, found);
    }
}

#[derive(Debug)]
struct Product;

impl<B: FusedBackward> Backward<B, 2> for Product {
    type State = LinearState<B>;

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [x, weight] = ops.parents;
        Backward::<B, 3>::backward(Linear, Ops::new([x, weight, None], ops.node, ops.state), gradients, checkpointer);
    }
}

#[derive(Debug)]
struct PackedLinear;

impl<B: FusedBackward> Backward<B, 2> for PackedLinear {
    /// The packed matrix, which is read the other way round.
    type State = (IntTensor<B>, PackedLayout);

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = B::contiguous(gradients.consume::<B>(&ops.node));
        let (words, layout) = ops.state;
        let [x, bias] = ops.parents;
        let of_bias = bias.as_ref().and_then(|_| B::backward_linear(None, None, &gradient, true, None)[2].take());
        let earlier = earlier!(gradients, x);
        let of_x = x.as_ref().map(|_| B::backward_packed(&gradient, &words, layout, earlier));
        register!(gradients, [x, bias], [of_x, of_bias]);
    }
}

#[derive(Debug)]
struct PackedProduct;

impl<B: FusedBackward> Backward<B, 1> for PackedProduct {
    type State = (IntTensor<B>, PackedLayout);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [x] = ops.parents;
        let ops = Ops::new([x, None], ops.node, ops.state);
        Backward::<B, 2>::backward(PackedLinear, ops, gradients, checkpointer);
    }
}

#[derive(Debug)]
struct AddLowRank;

impl<B: FusedBackward> Backward<B, 4> for AddLowRank {
    /// x, A, B, s·(x·A), s.
    type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, f32);

    fn backward(self, ops: Ops<Self::State, 4>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = B::contiguous(gradients.consume::<B>(&ops.node));
        let [of_y, of_x, of_a, of_b] = ops.parents;
        let (x, a, b, inner, scaling) = ops.state;
        let nodes = [of_x, of_a, of_b];
        let wanted = nodes.each_ref().map(Option::is_some);
        let earlier = earlier!(gradients, nodes[0]);
        let found = B::backward_add_low_rank(&x, [&a, &b], &inner, scaling, &gradient, wanted, earlier);
        register!(gradients, nodes, found);
        register!(gradients, [of_y], [Some(gradient)]);
    }
}

#[derive(Debug)]
struct Sum;

impl<B: FusedBackward> Backward<B, 2> for Sum {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        register!(gradients, ops.parents, [Some(gradient.clone()), Some(gradient)]);
    }
}

#[derive(Debug)]
struct Relu;

impl<B: FusedBackward> Backward<B, 1> for Relu {
    /// The output.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let y = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| B::backward_relu(&y, gradient));
    }
}

#[derive(Debug)]
struct Rotate;

impl<B: FusedBackward> Backward<B, 1> for Rotate {
    type State = Rotation;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let rotation = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| B::turn(&B::contiguous(gradient), rotation, true));
    }
}

#[derive(Debug)]
struct Gated;

impl<B: FusedBackward> Backward<B, 2> for Gated {
    /// gate, x.
    type State = [FloatTensor<B>; 2];

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = B::contiguous(gradients.consume::<B>(&ops.node));
        let [gate, x] = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = B::backward_gated(&gate, &x, &gradient, wanted);
        register!(gradients, ops.parents, found);
    }
}

#[derive(Debug)]
struct Attention;

impl<B: FusedBackward> Backward<B, 3> for Attention {
    /// q, k, v, weights, heads.
    type State = ([FloatTensor<B>; 3], FloatTensor<B>, Heads);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = B::contiguous(gradients.consume::<B>(&ops.node));
        let (inputs, weights, heads) = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = B::backward_attention(&inputs, &weights, heads, &gradient, wanted);
        register!(gradients, ops.parents, found);
    }
}

#[derive(Debug)]
struct GeluNew;

impl<B: FusedBackward> Backward<B, 1> for GeluNew {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let x = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| B::backward_gelu_new(&x, gradient));
    }
}

#[derive(Debug)]
struct CrossEntropy;

impl<B: FusedBackward> Backward<B, 1> for CrossEntropy {
    /// Probabilities and targets.
    type State = (FloatTensor<B>, B::Targets);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let (probabilities, targets) = ops.state;
        // A training step's pass begins here: what other passes left is of nodes that are gone.
        BEGUN.with_borrow_mut(HashSet::clear);
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| {
            B::backward_cross_entropy(probabilities, &targets, B::contiguous(gradient))
        });
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

    fn linear_rows(x: Tracked<B, C>, weight: Tracked<B, C>, bias: Tracked<B, C>) -> Tracked<B, C> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let needed = (weight.is_tracked(), x.is_tracked());
        let [x, weight, bias] = [x, weight, bias].map(|t| t.into_primitive());
        let (x, bias) = (B::contiguous(x), B::contiguous(bias));
        let y = B::forward_linear(&x, &weight, Some(&bias));
        match Backward::<B, 3>::prepare::<C>(Linear, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((needed.0.then_some(x), needed.1.then_some(weight)), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn product_rows(x: Tracked<B, C>, weight: Tracked<B, C>) -> Tracked<B, C> {
        let nodes = [x.node(), weight.node()];
        let needed = (weight.is_tracked(), x.is_tracked());
        let (x, weight) = (B::contiguous(x.into_primitive()), weight.into_primitive());
        let y = B::forward_linear(&x, &weight, None);
        match Backward::<B, 2>::prepare::<C>(Product, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((needed.0.then_some(x), needed.1.then_some(weight)), y),
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
        match Backward::<B, 1>::prepare::<C>(PackedProduct, [node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((words, layout), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
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
