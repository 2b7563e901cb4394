//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::{Ia3, width};
use crate::model::Target;
use crate::model::{Composition, LinearAt};
use crate::peft::InitContext;
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// A factor for each of `places`.
#[derive(Module, Debug)]
pub struct Phi {
    factors: Vec<Param<Tensor<1>>>,
    #[module(skip)]
    places: Vec<(usize, Target)>,
}

impl Phi {
    pub fn init(config: &Ia3, context: &mut InitContext<'_>) -> Phi {
        let shape = context.theta.config.clone();
        let layers = config.layers.list(shape.num_hidden_layers).into_iter();
        let places: Vec<(usize, Target)> =
            layers.flat_map(|layer| config.target_modules.iter().map(move |target| (layer, *target))).collect();
        let factor = |(_, target): &(usize, Target)| {
            let n = width(*target, &shape);
            context.constant(vec![1.0; n], [n])
        };
        Phi { factors: places.iter().map(factor).collect(), places }
    }

    fn at(&self, at: LinearAt<'_>) -> Option<Tensor<1>> {
        let place = self.places.iter().position(|place| *place == (at.block, at.target))?;
        Some(self.factors[place].val())
    }
}

fn scaled(x: &Tensor<3>, factor: Tensor<1>) -> Tensor<3> {
    let n = factor.dims()[0];
    x.clone() * factor.reshape([1, 1, n])
}

impl Composition for Phi {
    fn input(&self, at: LinearAt<'_>, x: &Tensor<3>) -> Option<Tensor<3>> {
        (at.target == Target::Fc2).then(|| self.at(at)).flatten().map(|factor| scaled(x, factor))
    }

    fn update(&self, at: LinearAt<'_>, _x: &Tensor<3>, y: &Tensor<3>) -> Option<Tensor<3>> {
        (at.target != Target::Fc2).then(|| self.at(at)).flatten().map(|factor| scaled(y, factor))
    }

    fn merged(&self, at: LinearAt<'_>) -> Option<(Tensor<2>, Option<Tensor<1>>)> {
        let factor = self.at(at)?;
        let n = factor.dims()[0];
        Some(match at.target {
            Target::Fc2 => (at.weight.dense() * factor.reshape([n, 1]), at.bias.cloned()),
            _ => (at.weight.dense() * factor.clone().reshape([1, n]), at.bias.map(|bias| bias.clone() * factor)),
        })
    }
}
