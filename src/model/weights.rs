//! The tensors of θ.

use super::layers::{LayerNorm, Linear};
use super::{ModulePath, Target};
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// One block: attention and MLP, each behind a LayerNorm and beside a residual line.
#[derive(Module, Debug)]
pub struct Block {
    /// In front of attention.
    pub attention_norm: LayerNorm,
    /// W_Q, `[d_model, d_model]` as the next three.
    pub q: Linear,
    /// W_K
    pub k: Linear,
    /// W_V
    pub v: Linear,
    /// W_O
    pub out: Linear,
    /// In front of the MLP.
    pub mlp_norm: LayerNorm,
    /// W₁, `[d_model, ffn]`
    pub fc1: Linear,
    /// W₂, `[ffn, d_model]`
    pub fc2: Linear,
}

impl Block {
    /// The linear layer that a method names.
    pub fn linear(&self, target: Target) -> &Linear {
        match target {
            Target::Q => &self.q,
            Target::K => &self.k,
            Target::V => &self.v,
            Target::O => &self.out,
            Target::Fc1 => &self.fc1,
            Target::Fc2 => &self.fc2,
        }
    }
}

/// All tensors of a model.
#[derive(Module, Debug)]
pub struct Weights {
    /// Token embedding and, tied, the head: `[vocab, d_model]`.
    pub tokens: Param<Tensor<2>>,
    /// `[positions, d_model]`, in front of them the rows that no token uses.
    pub positions: Param<Tensor<2>>,
    /// In the order of the forward pass.
    pub blocks: Vec<Block>,
    /// Behind all blocks, in front of the head.
    pub final_norm: LayerNorm,
}

/// The tensors of a module.
pub struct ModuleTensors<'a> {
    /// `[vocab, d_model]`, `[positions, d_model]` or `[inputs, outputs]`
    pub matrix: Option<&'a Param<Tensor<2>>>,
    /// `[outputs]` or `[d_model]`
    pub bias: Option<&'a Param<Tensor<1>>>,
    /// `[d_model]`
    pub scale: Option<&'a Param<Tensor<1>>>,
}

impl Weights {
    /// θ's tensors in a module.
    pub fn at(&self, path: ModulePath) -> ModuleTensors<'_> {
        let norm = match path {
            ModulePath::Tokens => return ModuleTensors { matrix: Some(&self.tokens), bias: None, scale: None },
            ModulePath::Positions => return ModuleTensors { matrix: Some(&self.positions), bias: None, scale: None },
            ModulePath::Linear(block, target) => {
                let linear = self.blocks[block].linear(target);
                return ModuleTensors { matrix: Some(&linear.weight), bias: Some(&linear.bias), scale: None };
            }
            ModulePath::AttentionNorm(block) => &self.blocks[block].attention_norm,
            ModulePath::MlpNorm(block) => &self.blocks[block].mlp_norm,
            ModulePath::FinalNorm => &self.final_norm,
        };
        ModuleTensors { matrix: None, bias: Some(&norm.bias), scale: Some(&norm.scale) }
    }
}
