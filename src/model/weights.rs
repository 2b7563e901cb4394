//! The tensors of θ.

use super::layers::NormTensors;
use super::{Matrix, ModulePath, Target};
use burn::module::Param;
use burn::tensor::Tensor;

/// A linear layer of θ: x·W + b.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// `[inputs, outputs]`, whatever way the checkpoint holds it.
    pub weight: Matrix,
    /// `[outputs]`, where the layer has one.
    pub bias: Option<Param<Tensor<1>>>,
}

impl Frozen {
    /// Its bias.
    pub fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }
}

/// One block: attention and MLP, each behind a norm and beside a residual line. Shapes are [`Target`]'s.
#[derive(Clone, Debug)]
pub struct Block {
    /// In front of attention.
    pub attention_norm: NormTensors,
    /// W_Q
    pub q: Frozen,
    /// W_K
    pub k: Frozen,
    /// W_V
    pub v: Frozen,
    /// W_O
    pub out: Frozen,
    /// In front of the MLP.
    pub mlp_norm: NormTensors,
    /// W₁
    pub fc1: Frozen,
    /// W₂
    pub fc2: Frozen,
    /// The matrix of the MLP's gate, where it has one.
    pub gate: Option<Frozen>,
    /// Over every head of queries and of keys, where they are normalised.
    pub head_norms: Option<HeadNorms>,
}

/// The norms of a block's heads: scales of a head's width.
#[derive(Clone, Debug)]
pub struct HeadNorms {
    /// Of every head of queries.
    pub queries: NormTensors,
    /// Of every head of keys.
    pub keys: NormTensors,
}

impl Block {
    /// A linear layer that the block has.
    #[expect(clippy::expect_used, reason = "callers ask for the targets of the model's own shape")]
    pub fn linear(&self, target: Target) -> &Frozen {
        match target {
            Target::Q => &self.q,
            Target::K => &self.k,
            Target::V => &self.v,
            Target::O => &self.out,
            Target::Fc1 => &self.fc1,
            Target::Fc2 => &self.fc2,
            Target::Gate => self.gate.as_ref().expect("a gated MLP"),
        }
    }
}

/// All tensors of a model.
#[derive(Clone, Debug)]
pub struct Weights {
    /// Token embedding and, where it is tied, the head: `[vocab, d_model]`.
    pub tokens: Matrix,
    /// `[positions, d_model]`, in front of them the rows that no token uses; none where positions are not learned.
    pub positions: Option<Tensor<2>>,
    /// In the order of the forward pass.
    pub blocks: Vec<Block>,
    /// Behind all blocks, in front of the head.
    pub final_norm: NormTensors,
    /// The head, where it is not the token embedding: `[vocab, d_model]`.
    pub head: Option<Matrix>,
}

/// The tensors of a module.
pub struct ModuleTensors<'a> {
    /// `[vocab, d_model]`, `[positions, d_model]` or `[inputs, outputs]`
    pub matrix: Option<Matrix>,
    /// `[outputs]` or `[d_model]`
    pub bias: Option<&'a Param<Tensor<1>>>,
    /// `[d_model]`
    pub scale: Option<&'a Param<Tensor<1>>>,
}

fn norm(norm: Option<&NormTensors>) -> ModuleTensors<'_> {
    let bias = norm.and_then(|norm| norm.bias.as_ref());
    ModuleTensors { matrix: None, bias, scale: norm.map(|norm| &norm.scale) }
}

impl Weights {
    /// θ's tensors in a module; none where this model has no such module.
    pub fn at(&self, path: ModulePath) -> ModuleTensors<'_> {
        let block = path.block().map(|block| &self.blocks[block]);
        let heads = block.and_then(|block| block.head_norms.as_ref());
        let matrix = |matrix| ModuleTensors { matrix, bias: None, scale: None };
        match path {
            ModulePath::Tokens => matrix(Some(self.tokens.clone())),
            ModulePath::Positions => matrix(self.positions.clone().map(Matrix::Full)),
            ModulePath::Head => matrix(self.head.clone()),
            ModulePath::Linear(_, target) => {
                let linear = block.map(|block| block.linear(target));
                let bias = linear.and_then(|linear| linear.bias.as_ref());
                ModuleTensors { matrix: linear.map(|linear| linear.weight.clone()), bias, scale: None }
            }
            ModulePath::AttentionNorm(_) => norm(block.map(|block| &block.attention_norm)),
            ModulePath::MlpNorm(_) => norm(block.map(|block| &block.mlp_norm)),
            ModulePath::QueryNorm(_) => norm(heads.map(|heads| &heads.queries)),
            ModulePath::KeyNorm(_) => norm(heads.map(|heads| &heads.keys)),
            ModulePath::FinalNorm => norm(Some(&self.final_norm)),
        }
    }

    /// The head's matrix `[vocab, d_model]`: its own, or the token embedding.
    pub fn head(&self) -> &Matrix {
        self.head.as_ref().unwrap_or(&self.tokens)
    }
}
