//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::Dora;
use crate::kernels::add_low_rank;
use crate::model::Target;
use crate::model::{Composition, LinearAt};
use crate::peft::InitContext;
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// One matrix: `a` is `[inputs, rank]`, `b` `[rank, outputs]`, `magnitude` `[outputs]`.
#[derive(Module, Debug)]
struct Decomposed {
    a: Param<Tensor<2>>,
    b: Param<Tensor<2>>,
    magnitude: Param<Tensor<1>>,
}

/// One for each of `places`.
#[derive(Module, Debug)]
pub struct Phi {
    updates: Vec<Decomposed>,
    #[module(skip)]
    places: Vec<(usize, Target)>,
    #[module(skip)]
    scaling: f64,
}

/// Lengths of a matrix `[inputs, outputs]`'s columns, which are the rows of PyTorch's.
fn lengths(weight: Tensor<2>) -> Tensor<1> {
    let outputs = weight.dims()[1];
    weight.powi_scalar(2).sum_dim(0).sqrt().reshape([outputs])
}

impl Phi {
    /// A and B as LoRA's, the lengths θ's.
    pub fn init(config: &Dora, context: &mut InitContext<'_>) -> Phi {
        let shape = context.theta.config.clone();
        let (mut updates, mut places) = (Vec::new(), Vec::new());
        for layer in config.layers.list(shape.num_hidden_layers) {
            for target in &config.target_modules {
                let (inputs, outputs) = target.shape(&shape);
                let theta = context.theta.weights.blocks[layer].linear(*target).weight.dense();
                updates.push(Decomposed {
                    a: context.uniform([inputs, config.rank], (inputs as f32).sqrt().recip()),
                    b: context.zeros([config.rank, outputs]),
                    magnitude: Param::from_tensor(lengths(theta).autodiff()),
                });
                places.push((layer, *target));
            }
        }
        Phi { updates, places, scaling: config.scaling() }
    }

    fn at(&self, at: LinearAt<'_>) -> Option<&Decomposed> {
        let place = self.places.iter().position(|place| *place == (at.block, at.target))?;
        Some(&self.updates[place])
    }

    /// W₀ + s·BA and m/‖W₀ + s·BA‖, the length taken as a constant, as the paper does (section 4.3).
    fn direction(&self, at: LinearAt<'_>, update: &Decomposed) -> (Tensor<2>, Tensor<1>) {
        let (a, b) = (update.a.val().detach(), update.b.val().detach());
        let moved = at.weight.dense() + a.matmul(b).mul_scalar(self.scaling);
        let factor = update.magnitude.val() / lengths(moved.clone());
        (moved, factor)
    }
}

impl Composition for Phi {
    /// With g = m/‖W₀ + s·BA‖: g ⊙ (W₀x + s·B(Ax)) + b; `y` has the bias already.
    fn update(&self, at: LinearAt<'_>, x: &Tensor<3>, y: &Tensor<3>) -> Option<Tensor<3>> {
        let update = self.at(at)?;
        let (_, factor) = self.direction(at, update);
        let moved = add_low_rank(y.clone(), x.clone(), update.a.val(), update.b.val(), self.scaling);
        let outputs = factor.dims()[0];
        let factor = factor.reshape([1, 1, outputs]);
        Some(match at.bias {
            Some(bias) => {
                let bias = bias.clone().reshape([1, 1, outputs]);
                (moved - bias.clone()) * factor + bias
            }
            None => moved * factor,
        })
    }

    fn merged(&self, at: LinearAt<'_>) -> Option<(Tensor<2>, Option<Tensor<1>>)> {
        let (moved, factor) = self.direction(at, self.at(at)?);
        let outputs = factor.dims()[0];
        Some((moved * factor.reshape([1, outputs]), at.bias.cloned()))
    }
}
