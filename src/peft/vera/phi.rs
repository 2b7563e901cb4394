//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::Vera;
use crate::kernels::linear;
use crate::model::Target;
use crate::model::{Composition, LinearAt};
use crate::peft::InitContext;
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// The scales of one matrix: `b` is `[outputs]`, `d` `[rank]`.
#[derive(Module, Debug)]
struct Scales {
    b: Param<Tensor<1>>,
    d: Param<Tensor<1>>,
}

/// One for each of `places`; `a` is `[inputs, rank]` and `b` `[rank, outputs]`, shared and not trained.
#[derive(Module, Debug)]
pub struct Phi {
    scales: Vec<Scales>,
    #[module(skip)]
    a: Tensor<2>,
    #[module(skip)]
    b: Tensor<2>,
    #[module(skip)]
    places: Vec<(usize, Target)>,
}

/// Where d starts: PEFT's `d_initial`.
const D_INITIAL: f32 = 0.1;

impl Phi {
    /// A and B Kaiming uniform over their inputs, as PEFT draws them.
    pub fn init(config: &Vera, context: &mut InitContext<'_>) -> Phi {
        let shape = context.theta.config.clone();
        let r = config.rank;
        let (inputs, outputs) = config.shared(&shape);
        let bound = |inputs: usize| (6.0 / inputs as f32).sqrt();
        let (a, b) = (context.uniforms(inputs * r, bound(inputs)), context.uniforms(r * outputs, bound(r)));
        let (a, b) = (context.fixed(a, [inputs, r]), context.fixed(b, [r, outputs]));
        let (mut scales, mut places) = (Vec::new(), Vec::new());
        for layer in config.layers.list(shape.num_hidden_layers) {
            for target in &config.target_modules {
                let outputs = target.shape(&shape).1;
                scales.push(Scales { b: context.zeros([outputs]), d: context.constant(vec![D_INITIAL; r], [r]) });
                places.push((layer, *target));
            }
        }
        Phi { scales, a, b, places }
    }

    /// The scales of a place with its share of A and B.
    fn at(&self, at: LinearAt<'_>) -> Option<(&Scales, Tensor<2>, Tensor<2>)> {
        let place = self.places.iter().position(|place| *place == (at.block, at.target))?;
        let ([inputs, outputs], r) = (at.weight.dims(), self.a.dims()[1]);
        let part = |t: &Tensor<2>, rows: usize, columns: usize| match t.dims() == [rows, columns] {
            true => t.clone(),
            false => t.clone().slice([0..rows, 0..columns]),
        };
        Some((&self.scales[place], part(&self.a, inputs, r), part(&self.b, r, outputs)))
    }
}

impl Composition for Phi {
    /// y + b ⊙ B(d ⊙ Ax)
    fn update(&self, at: LinearAt<'_>, x: &Tensor<3>, y: &Tensor<3>) -> Option<Tensor<3>> {
        let (scales, a, b) = self.at(at)?;
        let (r, outputs) = (a.dims()[1], b.dims()[1]);
        let inner = linear(x.clone(), a, None) * scales.d.val().reshape([1, 1, r]);
        Some(y.clone() + linear(inner, b, None) * scales.b.val().reshape([1, 1, outputs]))
    }

    fn merged(&self, at: LinearAt<'_>) -> Option<(Tensor<2>, Option<Tensor<1>>)> {
        let (scales, a, b) = self.at(at)?;
        let (r, outputs) = (a.dims()[1], b.dims()[1]);
        let update = (a * scales.d.val().reshape([1, r])).matmul(b) * scales.b.val().reshape([1, outputs]);
        Some((at.weight.dense() + update, at.bias.cloned()))
    }

    fn shared(&self) -> Option<[Tensor<2>; 2]> {
        Some([self.a.clone(), self.b.clone()])
    }

    fn share(&mut self, [a, b]: [Tensor<2>; 2]) {
        (self.a, self.b) = (a, b);
    }
}
