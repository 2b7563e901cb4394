//! A base with random weights, for benchmarks and tests.

use super::layers::NormTensors;
use super::weights::HeadNorms;
use super::{Block, Frozen, Matrix, Model, ModelConfig, ModulePath, ParamKind, Target, Weights};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

impl Model {
    /// Every matrix and bias uniform with standard deviation 0.1, scales near 1: no tensor is trivially zero.
    pub fn random(config: ModelConfig, rng: &mut ChaCha8Rng, device: &Device) -> Model {
        let mut draw = Draw { config: &config, rng, device };
        let weights = Weights {
            blocks: (0..config.num_hidden_layers).map(|block| draw.block(block)).collect(),
            tokens: Matrix::Full(draw.tensor([config.vocab_size, config.hidden_size], 0.0).val()),
            positions: draw.embedding(ModulePath::Positions),
            final_norm: draw.norm(ModulePath::FinalNorm),
            head: draw.embedding(ModulePath::Head).map(Matrix::Full),
        };
        Model { config, weights }
    }
}

struct Draw<'a> {
    config: &'a ModelConfig,
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

    fn block(&mut self, block: usize) -> Block {
        Block {
            attention_norm: self.norm(ModulePath::AttentionNorm(block)),
            q: self.linear(Target::Q),
            k: self.linear(Target::K),
            v: self.linear(Target::V),
            out: self.linear(Target::O),
            mlp_norm: self.norm(ModulePath::MlpNorm(block)),
            fc1: self.linear(Target::Fc1),
            fc2: self.linear(Target::Fc2),
            gate: self.config.gated.then(|| self.linear(Target::Gate)),
            head_norms: self.config.normed_heads.then(|| HeadNorms {
                queries: self.norm(ModulePath::QueryNorm(block)),
                keys: self.norm(ModulePath::KeyNorm(block)),
            }),
        }
    }

    fn linear(&mut self, target: Target) -> Frozen {
        let (inputs, outputs) = target.shape(self.config);
        let weight = Matrix::Full(self.tensor([inputs, outputs], 0.0).val());
        Frozen { weight, bias: self.bias(ModulePath::Linear(0, target), outputs) }
    }

    fn norm(&mut self, path: ModulePath) -> NormTensors {
        let width = path.elements(ParamKind::Scale, self.config) as usize;
        NormTensors { scale: self.tensor([width], 1.0), bias: self.bias(path, width) }
    }

    fn bias(&mut self, path: ModulePath, width: usize) -> Option<Param<Tensor<1>>> {
        path.pieces(self.config).contains(&ParamKind::Bias).then(|| self.tensor([width], 0.0))
    }

    /// A matrix outside the blocks, `[rows, d_model]`, where the model has it.
    fn embedding(&mut self, path: ModulePath) -> Option<Tensor<2>> {
        let (there, d) = (ModulePath::outside_blocks(self.config).any(|of| of == path), self.config.hidden_size);
        let rows = path.elements(ParamKind::Matrix, self.config) as usize / d;
        there.then(|| self.tensor([rows, d], 0.0).val())
    }
}
