//! A base with random weights, for benchmarks and tests.

use super::layers::NormTensors;
use super::weights::HeadNorms;
use super::{Block, Frozen, Matrix, Model, ModelConfig, ModulePath, ParamKind, Storage, Target, Weights};
use crate::base::packing::{Packing, pack};
use crate::kernels::{Packed, PackedLayout};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

impl Model {
    /// Every matrix and bias uniform with standard deviation 0.1, scales near 1: no tensor is trivially zero.
    pub fn random(config: ModelConfig, rng: &mut ChaCha8Rng, device: &Device) -> Model {
        Model::random_held(config, Storage::F32, rng, device)
    }

    /// The same numbers with matrices in a form, linear ones packed along their inputs as GGUF has them. They must have
    /// rows of whole blocks ([`Storage::refusal`]). Each is packed as it is drawn.
    pub fn random_held(config: ModelConfig, storage: Storage, rng: &mut ChaCha8Rng, device: &Device) -> Model {
        let packing = storage.packing().filter(|packing| *packing != Packing::F32);
        let mut draw = Draw { config: &config, packing, rng, device };
        let weights = Weights {
            blocks: (0..config.num_hidden_layers).map(|block| draw.block(block)).collect(),
            tokens: draw.matrix(config.vocab_size, config.hidden_size, false),
            positions: draw.rows(ModulePath::Positions).map(|rows| draw.tensor([rows, config.hidden_size], 0.0).val()),
            final_norm: draw.norm(ModulePath::FinalNorm),
            head: draw.rows(ModulePath::Head).map(|rows| draw.matrix(rows, config.hidden_size, false)),
        };
        Model { config, weights }
    }
}

struct Draw<'a> {
    config: &'a ModelConfig,
    /// Of matrices, where they are packed.
    packing: Option<Packing>,
    rng: &'a mut ChaCha8Rng,
    device: &'a Device,
}

impl Draw<'_> {
    fn values(&mut self, n: usize, centre: f32) -> Vec<f32> {
        // A uniform of half-width √3 σ has the standard deviation σ.
        let half_width = 0.1 * 3.0_f32.sqrt();
        (0..n).map(|_| centre + half_width * (2.0 * self.rng.random::<f32>() - 1.0)).collect()
    }

    fn tensor<const D: usize>(&mut self, shape: [usize; D], centre: f32) -> Param<Tensor<D>> {
        let values = self.values(shape.iter().product(), centre);
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    /// A matrix, packed along its rows or, where it is `turned`, along its columns.
    fn matrix(&mut self, rows: usize, columns: usize, turned: bool) -> Matrix {
        let Some(packing) = self.packing else { return Matrix::Full(self.tensor([rows, columns], 0.0).val()) };
        let values = self.values(rows * columns, 0.0);
        Matrix::Packed(match turned {
            true => {
                let stored: Vec<f32> =
                    (0..columns).flat_map(|j| (0..rows).map(move |i| i * columns + j)).map(|at| values[at]).collect();
                packed(&stored, [columns, rows], packing, true, self.device)
            }
            false => packed(&values, [rows, columns], packing, false, self.device),
        })
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
        let weight = self.matrix(inputs, outputs, true);
        Frozen { weight, bias: self.bias(ModulePath::Linear(0, target), outputs) }
    }

    fn norm(&mut self, path: ModulePath) -> NormTensors {
        let width = path.elements(ParamKind::Scale, self.config) as usize;
        NormTensors { scale: self.tensor([width], 1.0), bias: self.bias(path, width) }
    }

    fn bias(&mut self, path: ModulePath, width: usize) -> Option<Param<Tensor<1>>> {
        path.pieces(self.config).contains(&ParamKind::Bias).then(|| self.tensor([width], 0.0))
    }

    /// Rows of a matrix outside the blocks, where the model has it.
    fn rows(&self, path: ModulePath) -> Option<usize> {
        let there = ModulePath::outside_blocks(self.config).any(|of| of == path);
        there.then(|| path.elements(ParamKind::Matrix, self.config) as usize / self.config.hidden_size)
    }
}

/// Stored rows, packed.
fn packed(numbers: &[f32], [rows, columns]: [usize; 2], packing: Packing, transposed: bool, device: &Device) -> Packed {
    Packed::new(pack(packing, numbers), PackedLayout { packing, rows, columns, transposed }, device)
}
