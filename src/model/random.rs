//! A base with random weights, for benchmarks and tests.

use super::layers::{LayerNorm, Linear};
use super::{Block, Model, ModelConfig, Weights};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

impl Model {
    /// Every matrix and bias uniform with standard deviation 0.1, scales near 1: no tensor is trivially zero.
    pub fn random(config: ModelConfig, rng: &mut ChaCha8Rng, device: &Device) -> Model {
        let (d, f) = (config.hidden_size, config.ffn_dim);
        let mut draw = Draw { rng, device };
        let blocks = (0..config.num_hidden_layers).map(|_| Block {
            attention_norm: draw.norm(d),
            q: draw.linear(d, d),
            k: draw.linear(d, d),
            v: draw.linear(d, d),
            out: draw.linear(d, d),
            mlp_norm: draw.norm(d),
            fc1: draw.linear(d, f),
            fc2: draw.linear(f, d),
        });
        let blocks = blocks.collect();
        let weights = Weights {
            tokens: draw.tensor([config.vocab_size, d], 0.0),
            positions: draw.tensor([config.position_rows(), d], 0.0),
            blocks,
            final_norm: draw.norm(d),
        };
        Model { config, weights }
    }
}

struct Draw<'a> {
    rng: &'a mut ChaCha8Rng,
    device: &'a Device,
}

impl Draw<'_> {
    fn tensor<const D: usize>(&mut self, shape: [usize; D], centre: f32) -> Param<Tensor<D>> {
        // A uniform of half-width √3 σ has the standard deviation σ.
        let half_width = 0.1 * 3.0_f32.sqrt();
        let n = shape.iter().product();
        let values: Vec<f32> = (0..n).map(|_| centre + half_width * (2.0 * self.rng.random::<f32>() - 1.0)).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        Linear { weight: self.tensor([inputs, outputs], 0.0), bias: self.tensor([outputs], 0.0) }
    }

    fn norm(&mut self, d: usize) -> LayerNorm {
        LayerNorm { scale: self.tensor([d], 1.0), bias: self.tensor([d], 0.0) }
    }
}
