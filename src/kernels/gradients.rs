//! The gradients of the kernels' operations: a node for each.

use super::backward::FusedBackward;
use super::{Heads, PackedLayout, Rotation};
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, unary};
use burn::backend::tensor::{FloatTensor, IntTensor};
use std::cell::RefCell;
use std::collections::HashSet;

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
pub struct LayerNorm;

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
pub struct RmsNorm;

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
pub struct Linear;

/// What [`Linear`] needs: x for the weight's gradient, beside whether that lies in columns; the weight for that of x.
pub type LinearState<B> = (Option<(FloatTensor<B>, bool)>, Option<FloatTensor<B>>);

/// The state of a product whose weight and x have gradients, or not.
pub fn linear_state<B: FusedBackward>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    [of_x, of_weight]: [bool; 2],
) -> LinearState<B> {
    let in_columns = B::lies_in_columns(&weight);
    (of_weight.then_some((x, in_columns)), of_x.then_some(weight))
}

impl<B: FusedBackward> Backward<B, 3> for Linear {
    type State = LinearState<B>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = B::contiguous(gradients.consume::<B>(&ops.node));
        let (x, weight) = ops.state;
        let bias = ops.parents[2].is_some();
        let earlier = earlier!(gradients, ops.parents[0]);
        let x = x.as_ref().map(|(x, in_columns)| (x, *in_columns));
        let found = B::backward_linear(x, weight.as_ref(), &gradient, bias, earlier);
        register!(gradients, ops.parents, found);
    }
}

#[derive(Debug)]
pub struct Product;

impl<B: FusedBackward> Backward<B, 2> for Product {
    type State = LinearState<B>;

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [x, weight] = ops.parents;
        Backward::<B, 3>::backward(Linear, Ops::new([x, weight, None], ops.node, ops.state), gradients, checkpointer);
    }
}

#[derive(Debug)]
pub struct PackedLinear;

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
pub struct PackedProduct;

impl<B: FusedBackward> Backward<B, 1> for PackedProduct {
    type State = (IntTensor<B>, PackedLayout);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [x] = ops.parents;
        let ops = Ops::new([x, None], ops.node, ops.state);
        Backward::<B, 2>::backward(PackedLinear, ops, gradients, checkpointer);
    }
}

#[derive(Debug)]
pub struct AddLowRank;

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
pub struct Sum;

impl<B: FusedBackward> Backward<B, 2> for Sum {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        register!(gradients, ops.parents, [Some(gradient.clone()), Some(gradient)]);
    }
}

#[derive(Debug)]
pub struct Relu;

impl<B: FusedBackward> Backward<B, 1> for Relu {
    /// The output.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let y = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| B::backward_relu(&y, gradient));
    }
}

#[derive(Debug)]
pub struct Rotate;

impl<B: FusedBackward> Backward<B, 1> for Rotate {
    type State = Rotation;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let rotation = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| B::turn(&B::contiguous(gradient), rotation, true));
    }
}

#[derive(Debug)]
pub struct Gated;

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
pub struct Attention;

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
pub struct TurnedAttention;

impl<B: FusedBackward> Backward<B, 3> for TurnedAttention {
    /// q and k as they were turned, v, weights, heads, the rotation.
    type State = ([FloatTensor<B>; 3], FloatTensor<B>, Heads, Rotation);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = B::contiguous(gradients.consume::<B>(&ops.node));
        let (inputs, weights, heads, rotation) = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = match B::backward_attention(&inputs, &weights, heads, &gradient, wanted) {
            [Some(q), Some(k), v] => {
                let [q, k] = B::turn_both([&q, &k], rotation, true);
                [Some(q), Some(k), v]
            }
            [q, k, v] => {
                let back = |x: Option<FloatTensor<B>>| x.map(|x| B::turn(&x, rotation, true));
                [back(q), back(k), v]
            }
        };
        register!(gradients, ops.parents, found);
    }
}

#[derive(Debug)]
pub struct GeluNew;

impl<B: FusedBackward> Backward<B, 1> for GeluNew {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let x = ops.state;
        unary::<B, _>(ops.parents, ops.node, gradients, |gradient| B::backward_gelu_new(&x, gradient));
    }
}

#[derive(Debug)]
pub struct CrossEntropy;

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
