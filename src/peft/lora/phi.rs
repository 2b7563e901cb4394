//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::Lora;
use crate::kernels::add_low_rank;
use crate::model::Target;
use crate::model::{Composition, LinearAt};
use crate::peft::InitContext;
use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One update: `a` is `[inputs, rank]` and `b` is `[rank, outputs]`, PEFT's A and B transposed.
#[derive(Module, Debug)]
struct LowRank {
    a: Param<Tensor<2>>,
    b: Param<Tensor<2>>,
}

/// The updates, one for each of `places`.
#[derive(Module, Debug)]
pub struct Phi {
    updates: Vec<LowRank>,
    #[module(skip)]
    places: Vec<(usize, Target)>,
    #[module(skip)]
    scaling: f64,
    #[module(skip)]
    dropout: f64,
    /// Of this step's dropout.
    #[module(skip)]
    seed: Option<u64>,
}

impl Phi {
    /// A as `nn.Linear` starts in PyTorch (Kaiming uniform with a = √5: bound 1/√inputs), B zero.
    pub fn init(config: &Lora, context: &mut InitContext<'_>) -> Phi {
        let shape = context.theta.config.clone();
        let (mut updates, mut places) = (Vec::new(), Vec::new());
        for layer in config.layers.list(shape.num_hidden_layers) {
            for target in &config.target_modules {
                let (inputs, outputs) = target.shape(&shape);
                updates.push(LowRank {
                    a: context.uniform([inputs, config.rank], (inputs as f32).sqrt().recip()),
                    b: context.zeros([config.rank, outputs]),
                });
                places.push((layer, *target));
            }
        }
        Phi { updates, places, scaling: config.scaling(), dropout: config.lora_dropout, seed: None }
    }

    fn at(&self, at: LinearAt<'_>) -> Option<(usize, &LowRank)> {
        let place = self.places.iter().position(|place| *place == (at.block, at.target))?;
        Some((place, &self.updates[place]))
    }

    /// x with some of its numbers zero and the others enlarged, so that the mean stays.
    fn dropped(&self, place: usize, x: &Tensor<3>) -> Tensor<3> {
        let Some(seed) = self.seed.filter(|_| self.dropout > 0.0) else { return x.clone() };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(place as u64);
        let keep = (1.0 - self.dropout) as f32;
        let n = x.shape().num_elements();
        let mask = (0..n).map(|_| if rng.random::<f32>() < keep { keep.recip() } else { 0.0 }).collect::<Vec<f32>>();
        x.clone() * Tensor::from_data(TensorData::new(mask, x.shape()), &x.device())
    }
}

impl Composition for Phi {
    /// y + s·B(Ax)
    fn update(&self, at: LinearAt<'_>, x: &Tensor<3>, y: &Tensor<3>) -> Option<Tensor<3>> {
        let (place, LowRank { a, b }) = self.at(at)?;
        Some(add_low_rank(y.clone(), self.dropped(place, x), a.val(), b.val(), self.scaling))
    }

    /// W₀ + s·BA
    fn merged(&self, at: LinearAt<'_>) -> Option<(Tensor<2>, Option<Tensor<1>>)> {
        let (_, LowRank { a, b }) = self.at(at)?;
        Some((at.weight.dense() + a.val().matmul(b.val()).mul_scalar(self.scaling), at.bias.cloned()))
    }

    fn noise(&mut self, seed: Option<u64>) {
        self.seed = seed;
    }
}
