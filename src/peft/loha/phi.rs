//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::Loha;
use crate::kernels::linear;
use crate::model::{Composition, LinearAt, Target};
use crate::peft::InitContext;
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// One pair: `b` is `[rank, outputs]`, `a` `[inputs, rank]`, PEFT's `hada_w_a` and `hada_w_b` transposed.
#[derive(Module, Debug)]
struct Pair {
    b: Param<Tensor<2>>,
    a: Param<Tensor<2>>,
}

/// The update of one matrix.
#[derive(Module, Debug)]
struct Hadamard {
    first: Pair,
    second: Pair,
}

/// The updates, one for each of `places`.
#[derive(Module, Debug)]
pub struct Phi {
    updates: Vec<Hadamard>,
    #[module(skip)]
    places: Vec<(usize, Target)>,
    #[module(skip)]
    scaling: f64,
}

impl Pair {
    /// (BA)ᵀ, `[inputs, outputs]`.
    fn product(&self) -> Tensor<2> {
        linear(self.a.val(), self.b.val(), None)
    }
}

impl Phi {
    /// Kaiming uniform with a = √5, a bound of 1/√columns of PEFT's matrix; A₂ is zero.
    pub fn init(config: &Loha, context: &mut InitContext<'_>) -> Phi {
        let (shape, r) = (context.theta.config.clone(), config.rank);
        let (mut updates, mut places) = (Vec::new(), Vec::new());
        let bound = |columns: usize| (columns as f32).sqrt().recip();
        for block in config.layers.list(shape.num_hidden_layers) {
            for target in &config.target_modules {
                let (inputs, outputs) = target.shape(&shape);
                let first =
                    Pair { b: context.uniform([r, outputs], bound(r)), a: context.uniform([inputs, r], bound(inputs)) };
                let second = Pair { b: context.uniform([r, outputs], bound(r)), a: context.zeros([inputs, r]) };
                updates.push(Hadamard { first, second });
                places.push((block, *target));
            }
        }
        Phi { updates, places, scaling: config.scaling() }
    }

    /// s·(B₁A₁ ⊙ B₂A₂), transposed: `[inputs, outputs]`.
    fn change(&self, at: LinearAt<'_>) -> Option<Tensor<2>> {
        let place = self.places.iter().position(|place| *place == (at.block, at.target))?;
        let Hadamard { first, second } = &self.updates[place];
        Some((first.product() * second.product()).mul_scalar(self.scaling))
    }
}

impl Composition for Phi {
    /// y + s·(B₁A₁ ⊙ B₂A₂)x: the product has no form of lower rank, so it is made, as large as the matrix.
    fn update(&self, at: LinearAt<'_>, x: &Tensor<3>, y: &Tensor<3>) -> Option<Tensor<3>> {
        Some(y.clone() + linear(x.clone(), self.change(at)?, None))
    }

    /// W₀ + s·(B₁A₁ ⊙ B₂A₂)
    fn merged(&self, at: LinearAt<'_>) -> Option<(Tensor<2>, Option<Tensor<1>>)> {
        Some((at.weight.dense() + self.change(at)?, at.bias.cloned()))
    }
}
