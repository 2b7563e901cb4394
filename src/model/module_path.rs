//! Where the tensors of θ stand.

use super::Target;

/// A module of the network that holds tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModulePath {
    /// Token embedding and, tied, the head.
    Tokens,
    /// The learned position embedding.
    Positions,
    /// A linear layer of a block, blocks from 0.
    Linear(usize, Target),
    /// The LayerNorm in front of attention, of a block from 0.
    AttentionNorm(usize),
    /// The LayerNorm in front of the MLP, of a block from 0.
    MlpNorm(usize),
    /// The LayerNorm between the last block and the head.
    FinalNorm,
}

/// One of a module's tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// `[vocab, d]`, `[positions, d]`, or `[inputs, outputs]` of a linear layer.
    Matrix,
    /// `[outputs]` of a linear layer, `[d]` of a LayerNorm.
    Bias,
    /// A LayerNorm's factor, `[d]`.
    Scale,
}

impl ParamKind {
    /// PyTorch's name of the tensor in its module.
    pub fn name(self) -> &'static str {
        match self {
            ParamKind::Matrix | ParamKind::Scale => "weight",
            ParamKind::Bias => "bias",
        }
    }
}

impl ModulePath {
    /// Every module of a network of so many blocks that holds tensors.
    pub fn all(blocks: usize) -> impl Iterator<Item = ModulePath> {
        let blocks = (0..blocks).flat_map(ModulePath::of_block);
        [ModulePath::Tokens, ModulePath::Positions].into_iter().chain(blocks).chain([ModulePath::FinalNorm])
    }

    /// The eight modules of a block: two LayerNorms and six linear layers.
    pub fn of_block(block: usize) -> impl Iterator<Item = ModulePath> {
        let linear = Target::ALL.map(|target| ModulePath::Linear(block, target));
        [ModulePath::AttentionNorm(block), ModulePath::MlpNorm(block)].into_iter().chain(linear)
    }

    /// The tensors that stand there.
    pub fn pieces(self) -> &'static [ParamKind] {
        match self {
            ModulePath::Tokens | ModulePath::Positions => &[ParamKind::Matrix],
            ModulePath::Linear(..) => &[ParamKind::Matrix, ParamKind::Bias],
            ModulePath::AttentionNorm(_) | ModulePath::MlpNorm(_) | ModulePath::FinalNorm => {
                &[ParamKind::Scale, ParamKind::Bias]
            }
        }
    }

    /// What a person calls it.
    pub fn title(self) -> String {
        match self {
            ModulePath::Tokens => "the token embedding".into(),
            ModulePath::Positions => "the position embedding".into(),
            ModulePath::Linear(block, target) => {
                format!("{} of block {}", Target::OPTIONS[target as usize].1, block + 1)
            }
            ModulePath::AttentionNorm(block) => format!("the LayerNorm before attention of block {}", block + 1),
            ModulePath::MlpNorm(block) => format!("the LayerNorm before the MLP of block {}", block + 1),
            ModulePath::FinalNorm => "the last LayerNorm".into(),
        }
    }
}

/// The two halves of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sublayer {
    /// Self-attention, from its LayerNorm to the residual line.
    Attention,
    /// The feed-forward network, likewise.
    Mlp,
}
