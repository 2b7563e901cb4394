//! The kernels' gradients.

use super::Kernels;
use super::flex::{self, Flat, as_matrix, as_rows, attention_of, change, contiguous, elements, shape, tensor};
use super::matrix::{Write, multiply};
use super::rows::{self, Moments};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

#[derive(Debug)]
struct LayerNorm;

impl Backward<Flex, 3> for LayerNorm {
    /// x, scale, and the rows' moments.
    type State = (Flat, Flat, Vec<Moments>);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (x, scale, moments) = ops.state;
        let [of_x, of_scale, of_bias] = ops.parents;
        if of_scale.is_some() || of_bias.is_some() {
            let d = elements(&scale).len();
            let (mut s, mut b) = (vec![0.0; d], vec![0.0; d]);
            rows::layer_norm_parameters(elements(&x), &moments, elements(&gradient), &mut s, &mut b);
            for (node, values) in [(of_scale, s), (of_bias, b)] {
                if let Some(node) = node {
                    gradients.register::<Flex>(node.id, tensor(values, [d]));
                }
            }
        }
        if let Some(node) = of_x {
            let of_x = change(gradient, |g| rows::layer_norm_backward(elements(&x), elements(&scale), &moments, g));
            gradients.register::<Flex>(node.id, of_x);
        }
    }
}

#[derive(Debug)]
struct Linear;

/// What [`Linear`] needs: x for the weight's gradient, the weight for that of x.
type LinearState = (Option<Flat>, Option<Flat>);

impl Backward<Flex, 3> for Linear {
    type State = LinearState;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let [of_x, of_weight, of_bias] = ops.parents;
        let (x, weight) = ops.state;
        let rows = as_rows(&gradient);
        if let (Some(node), Some(x)) = (of_weight, x) {
            let x = as_rows(&x);
            let mut values = vec![0.0; x.columns() * rows.columns()];
            multiply(&mut values, rows.columns(), Write::Replace, x.transposed(), rows);
            gradients.register::<Flex>(node.id, tensor(values, [x.columns(), rows.columns()]));
        }
        if let Some(node) = of_bias {
            let mut values = vec![0.0; rows.columns()];
            rows::add_rows(elements(&gradient), &mut values);
            gradients.register::<Flex>(node.id, tensor(values, [rows.columns()]));
        }
        if let (Some(node), Some(weight)) = (of_x, weight) {
            gradients.register::<Flex>(node.id, flex::linear(&gradient, as_matrix(&weight).transposed(), None));
        }
    }
}

#[derive(Debug)]
struct Product;

impl Backward<Flex, 2> for Product {
    type State = LinearState;

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [x, weight] = ops.parents;
        Linear.backward(Ops::new([x, weight, None], ops.node, ops.state), gradients, checkpointer);
    }
}

#[derive(Debug)]
struct AddLowRank;

impl Backward<Flex, 4> for AddLowRank {
    /// x, A, B, s·(x·A), s.
    type State = (Flat, Flat, Flat, Flat, f32);

    fn backward(self, ops: Ops<Self::State, 4>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let [of_y, of_x, of_a, of_b] = ops.parents;
        let (x, a, b, inner, scaling) = ops.state;
        let (rows, inner) = (as_rows(&gradient), as_rows(&inner));
        if let Some(node) = of_b {
            let (rank, outputs) = (inner.columns(), rows.columns());
            let mut values = vec![0.0; rank * outputs];
            multiply(&mut values, outputs, Write::Replace, inner.transposed(), rows);
            gradients.register::<Flex>(node.id, tensor(values, [rank, outputs]));
        }
        if of_x.is_some() || of_a.is_some() {
            let of_inner = flex::linear(&gradient, as_matrix(&b).transposed(), None);
            let of_inner = change(of_inner, |inner| rows::scale(inner, scaling));
            if let Some(node) = of_a {
                let (x, of_inner) = (as_rows(&x), as_rows(&of_inner));
                let mut values = vec![0.0; x.columns() * of_inner.columns()];
                multiply(&mut values, of_inner.columns(), Write::Replace, x.transposed(), of_inner);
                gradients.register::<Flex>(node.id, tensor(values, [x.columns(), of_inner.columns()]));
            }
            if let Some(node) = of_x {
                gradients.register::<Flex>(node.id, flex::linear(&of_inner, as_matrix(&a).transposed(), None));
            }
        }
        if let Some(node) = of_y {
            gradients.register::<Flex>(node.id, gradient);
        }
    }
}

#[derive(Debug)]
struct Relu;

impl Backward<Flex, 1> for Relu {
    /// The output.
    type State = Flat;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let y = ops.state;
        unary::<Flex, _>(ops.parents, ops.node, gradients, |gradient| {
            change(gradient, |g| rows::relu_backward(elements(&y), g))
        });
    }
}

#[derive(Debug)]
struct Heads;

impl Backward<Flex, 3> for Heads {
    /// q, k, v, weights, number of heads.
    type State = ([Flat; 3], Vec<f32>, usize);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (inputs, weights, heads) = ops.state;
        let [q, k, v] = &inputs;
        let mut wanted: [Option<Vec<f32>>; 3] = std::array::from_fn(|i| {
            let wanted = ops.parents[i].is_some();
            wanted.then(|| vec![0.0; elements(&inputs[i]).len()])
        });
        let [of_q, of_k, of_v] = wanted.each_mut().map(|values| values.as_deref_mut());
        let inputs_flat = [q, k, v].map(elements);
        attention_of(q, k, heads).backward(inputs_flat, &weights, elements(&gradient), [of_q, of_k, of_v]);
        for ((node, values), input) in ops.parents.into_iter().zip(wanted).zip(&inputs) {
            if let (Some(node), Some(values)) = (node, values) {
                gradients.register::<Flex>(node.id, tensor(values, shape(input)));
            }
        }
    }
}

#[derive(Debug)]
struct GeluNew;

impl Backward<Flex, 1> for GeluNew {
    type State = Flat;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let x = ops.state;
        unary::<Flex, _>(ops.parents, ops.node, gradients, |gradient| {
            change(gradient, |g| rows::gelu_new_backward(elements(&x), g))
        });
    }
}

#[derive(Debug)]
struct CrossEntropy;

impl Backward<Flex, 1> for CrossEntropy {
    /// Probabilities and targets.
    type State = (Flat, Vec<i32>);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let (probabilities, targets) = ops.state;
        unary::<Flex, _>(ops.parents, ops.node, gradients, |gradient| {
            let gradient = contiguous(gradient);
            change(probabilities, |p| rows::cross_entropy_backward(p, &targets, elements(&gradient)))
        });
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn layer_norm_rows(x: Tracked<C>, scale: Tracked<C>, bias: Tracked<C>, epsilon: f32) -> Tracked<C> {
        let nodes = [x.node(), scale.node(), bias.node()];
        let [x, scale, bias] = [x, scale, bias].map(|t| contiguous(t.into_primitive()));
        let (y, moments) = flex::layer_norm(&x, &scale, &bias, epsilon);
        match LayerNorm.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, scale, moments), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn linear_rows(x: Tracked<C>, weight: Tracked<C>, bias: Tracked<C>) -> Tracked<C> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let needed = (weight.is_tracked(), x.is_tracked());
        let [x, weight, bias] = [x, weight, bias].map(|t| t.into_primitive());
        let (x, bias) = (contiguous(x), contiguous(bias));
        let y = flex::linear(&x, as_matrix(&weight), Some(elements(&bias)));
        match Linear.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((needed.0.then_some(x), needed.1.then_some(weight)), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn product_rows(x: Tracked<C>, weight: Tracked<C>) -> Tracked<C> {
        let nodes = [x.node(), weight.node()];
        let needed = (weight.is_tracked(), x.is_tracked());
        let (x, weight) = (contiguous(x.into_primitive()), weight.into_primitive());
        let y = flex::linear(&x, as_matrix(&weight), None);
        match Product.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((needed.0.then_some(x), needed.1.then_some(weight)), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn add_low_rank_rows(y: Tracked<C>, x: Tracked<C>, a: Tracked<C>, b: Tracked<C>, scaling: f32) -> Tracked<C> {
        let nodes = [y.node(), x.node(), a.node(), b.node()];
        let [y, x, a, b] = [y, x, a, b].map(|t| t.into_primitive());
        let x = contiguous(x);
        let (y, inner) = flex::add_low_rank(y, &x, &a, &b, scaling);
        match AddLowRank.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, a, b, inner, scaling), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn relu_elements(x: Tracked<C>) -> Tracked<C> {
        let (x, node) = x.into_parts();
        let y = Flex::relu_elements(x);
        match Relu.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(y.clone(), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn attention_heads(q: Tracked<C>, k: Tracked<C>, v: Tracked<C>, heads: usize) -> Tracked<C> {
        let nodes = [q.node(), k.node(), v.node()];
        let inputs = [q, k, v].map(|t| contiguous(t.into_primitive()));
        let (out, weights) = flex::attention(&inputs[0], &inputs[1], &inputs[2], heads);
        match Heads.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((inputs, weights, heads), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn gelu_new_elements(x: Tracked<C>) -> Tracked<C> {
        let (x, node) = x.into_parts();
        let x = contiguous(x);
        let y = Flex::gelu_new_elements(x.clone());
        match GeluNew.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(x, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn cross_entropy_rows(logits: Tracked<C>, targets: Vec<i32>) -> Tracked<C> {
        let (logits, node) = logits.into_parts();
        let (losses, probabilities) = flex::cross_entropy(logits, &targets);
        match CrossEntropy.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((probabilities, targets), losses),
            OpsKind::UnTracked(prep) => prep.finish(losses),
        }
    }
}
