//! Where pretraining starts.

use super::episodes::SLOT;
use super::recipe::{Data, Recipe};
use crate::base::standard_normal;
use crate::model::Model;
use crate::model::layers::NormTensors;
use crate::model::{Block, Frozen, Positions, Weights};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

/// GPT-2's start: normals of deviation 0.02, on the way back to the residual line smaller by √(2·layers); no
/// biases.
///
/// For `rules`, tokens have 0.1, and a position is the sum of its place in the shot and its shot: the first
/// of the things that made so small a model learn to move letters.
pub fn model(recipe: &Recipe, rng: &mut ChaCha8Rng, device: &Device) -> Model {
    let config = recipe.model_config();
    let (d, f, layers) = (config.hidden_size, config.ffn_dim, config.num_hidden_layers);
    let mut draw = Draw { rng, device };
    let back = 0.02 / (2.0 * layers as f32).sqrt();
    let blocks = (0..layers).map(|_| Block {
        attention_norm: draw.norm(d),
        q: draw.linear(d, d, 0.02),
        k: draw.linear(d, d, 0.02),
        v: draw.linear(d, d, 0.02),
        out: draw.linear(d, d, back),
        mlp_norm: draw.norm(d),
        fc1: draw.linear(d, f, 0.02),
        fc2: draw.linear(f, d, back),
        gate: None,
        head_norms: None,
    });
    let blocks = blocks.collect();
    let (tokens, mut positions) = match recipe.data {
        Data::Rules(_) => {
            let shots = config.max_position_embeddings / SLOT + 2;
            let (place, shot) = (draw.normals(SLOT * d, 0.15), draw.normals(shots * d, 0.1));
            let row = |i: usize| {
                // `<s>` stands at the end of a shot before the first.
                let (within, of) = ((i + SLOT - 1) % SLOT, i.div_ceil(SLOT));
                (0..d).map(|j| place[within * d + j] + shot[of * d + j]).collect::<Vec<f32>>()
            };
            (draw.normals(config.vocab_size * d, 0.1), (0..config.max_position_embeddings).flat_map(row).collect())
        }
        Data::Prose(_) => {
            (draw.normals(config.vocab_size * d, 0.02), draw.normals(config.max_position_embeddings * d, 0.02))
        }
    };
    // OPT's offset rows: no token uses them.
    if let Positions::Learned { unused_rows } = config.positions {
        positions.splice(0..0, vec![0.0; unused_rows * d]);
    }
    let weights = Weights {
        tokens: draw.param(tokens, [config.vocab_size, d]).val().into(),
        positions: Some(draw.param(positions, [config.position_rows(), d]).val()),
        blocks,
        final_norm: draw.norm(d),
        head: None,
    };
    Model { config, weights }
}

struct Draw<'a> {
    rng: &'a mut ChaCha8Rng,
    device: &'a Device,
}

impl Draw<'_> {
    fn normals(&mut self, n: usize, deviation: f32) -> Vec<f32> {
        (0..n).map(|_| deviation * standard_normal(self.rng)).collect()
    }

    fn param<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<D>> {
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    fn linear(&mut self, inputs: usize, outputs: usize, deviation: f32) -> Frozen {
        let values = self.normals(inputs * outputs, deviation);
        let weight = self.param(values, [inputs, outputs]).val().into();
        Frozen { weight, bias: Some(self.param(vec![0.0; outputs], [outputs])) }
    }

    fn norm(&self, d: usize) -> NormTensors {
        NormTensors { scale: self.param(vec![1.0; d], [d]), bias: Some(self.param(vec![0.0; d], [d])) }
    }
}
