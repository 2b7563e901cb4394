//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::{Sparse, weights};
use crate::model::{Composition, Matrix};
use crate::model::{ModulePath, ParamKind};
use crate::peft::InitContext;
use burn::module::{Module, Param};
use burn::tensor::{IndexingUpdateOp, Int, Tensor};
use rand::RngExt;

/// Δ at the chosen weights, matrix after matrix.
#[derive(Module, Debug)]
pub struct Phi {
    delta: Param<Tensor<1>>,
    /// For each matrix with chosen weights: where its part of Δ starts, and the weights' places in it.
    #[module(skip)]
    chosen: Vec<(ModulePath, usize, Tensor<1, Int>)>,
    /// The same, counted through all matrices.
    #[module(skip)]
    order: Vec<usize>,
}

impl Phi {
    /// Δ zero at the k weights with the largest scores; without scores the choice is random.
    pub fn init(config: &Sparse, context: &mut InitContext<'_>) -> Phi {
        let model = context.theta.config.clone();
        let n = weights(&model) as usize;
        let scores = match context.scores.take() {
            Some(scores) => scores,
            None => (0..n).map(|_| context.rng.random::<f32>()).collect(),
        };
        let mut order: Vec<usize> = (0..n).collect();
        let k = config.num_weights.min(n);
        // The first of equals, so that a mask does not depend on how the sort goes.
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        order.truncate(k);
        // Else all of n stay reserved: twice θ's size.
        order.shrink_to_fit();
        order.sort_unstable();
        let chosen = split(&order, &model).into_iter();
        let chosen = chosen.map(|(place, first, inside)| (place, first, context.places(inside))).collect();
        Phi { delta: context.zeros([k]), chosen, order }
    }
}

/// Places counted through all matrices, sorted, as places in each.
fn split(order: &[usize], model: &crate::model::ModelConfig) -> Vec<(ModulePath, usize, Vec<i32>)> {
    let (mut chosen, mut first, mut done) = (Vec::new(), 0, 0);
    for place in ModulePath::all(model) {
        let end = first + place.elements(ParamKind::Matrix, model) as usize;
        let inside: Vec<i32> = order[done..].iter().take_while(|i| **i < end).map(|i| (i - first) as i32).collect();
        let n = inside.len();
        if n > 0 {
            chosen.push((place, done, inside));
        }
        (first, done) = (end, done + n);
    }
    chosen
}

impl Composition for Phi {
    fn matrix(&self, place: ModulePath, theta: &Matrix) -> Option<Tensor<2>> {
        let (_, first, inside) = self.chosen.iter().find(|(p, ..)| *p == place)?;
        let (shape, n) = (theta.dims(), theta.dims().iter().product::<usize>());
        let delta = self.delta.val().narrow(0, *first, inside.dims()[0]);
        let moved = theta.dense().reshape([n]).select_assign(0, inside.clone(), delta, IndexingUpdateOp::Add);
        Some(moved.reshape(shape))
    }

    fn chosen(&self) -> Option<Vec<usize>> {
        Some(self.order.clone())
    }
}
