//! Where the tensors of θ stand.

use super::{ModelConfig, NormKind, Positions, Target};

/// A module of the network that holds tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModulePath {
    /// Token embedding and, where it is tied, the head.
    Tokens,
    /// The learned position embedding.
    Positions,
    /// A linear layer of a block, blocks from 0.
    Linear(usize, Target),
    /// The norm in front of attention, of a block from 0.
    AttentionNorm(usize),
    /// The norm in front of the MLP, of a block from 0.
    MlpNorm(usize),
    /// The norm of every head of queries, of a block from 0.
    QueryNorm(usize),
    /// The norm of every head of keys, of a block from 0.
    KeyNorm(usize),
    /// The norm between the last block and the head.
    FinalNorm,
    /// The head, where it is not tied.
    Head,
}

/// One of a module's tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// `[vocab, d]`, `[positions, d]`, or `[inputs, outputs]` of a linear layer.
    Matrix,
    /// `[outputs]` of a linear layer, `[d]` of a LayerNorm.
    Bias,
    /// A norm's factor: `[d]`, or a head's width.
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
    /// Every module of a network that holds tensors, in the order in which φ counts through them.
    pub fn all(model: &ModelConfig) -> impl Iterator<Item = ModulePath> + '_ {
        let blocks = (0..model.num_hidden_layers).flat_map(|block| ModulePath::of_block(block, model));
        let front = ModulePath::outside_blocks(model).filter(|path| path.is_embedding());
        let behind = ModulePath::outside_blocks(model).filter(|path| !path.is_embedding());
        front.chain(blocks).chain(behind)
    }

    /// The modules of a block: norms and linear layers.
    pub fn of_block(block: usize, model: &ModelConfig) -> impl Iterator<Item = ModulePath> + use<> {
        let linear = Target::of(model).iter().map(move |target| ModulePath::Linear(block, *target));
        let heads = [ModulePath::QueryNorm(block), ModulePath::KeyNorm(block)].into_iter();
        let heads = heads.take(if model.normed_heads { 2 } else { 0 });
        [ModulePath::AttentionNorm(block), ModulePath::MlpNorm(block)].into_iter().chain(linear).chain(heads)
    }

    /// The modules outside of the blocks, in front of them and behind.
    pub fn outside_blocks(model: &ModelConfig) -> impl Iterator<Item = ModulePath> + use<> {
        let learned = matches!(model.positions, Positions::Learned { .. });
        let positions = learned.then_some(ModulePath::Positions);
        let head = (!model.tied).then_some(ModulePath::Head);
        [ModulePath::Tokens].into_iter().chain(positions).chain([ModulePath::FinalNorm]).chain(head)
    }

    /// Whether it is the embedding of tokens or of positions.
    pub fn is_embedding(self) -> bool {
        matches!(self, ModulePath::Tokens | ModulePath::Positions)
    }

    /// Whether it is a norm.
    pub fn is_norm(self) -> bool {
        match self {
            ModulePath::AttentionNorm(_)
            | ModulePath::MlpNorm(_)
            | ModulePath::QueryNorm(_)
            | ModulePath::KeyNorm(_)
            | ModulePath::FinalNorm => true,
            ModulePath::Tokens | ModulePath::Positions | ModulePath::Linear(..) | ModulePath::Head => false,
        }
    }

    /// The block it stands in.
    pub fn block(self) -> Option<usize> {
        match self {
            ModulePath::Tokens | ModulePath::Positions | ModulePath::FinalNorm | ModulePath::Head => None,
            ModulePath::Linear(block, _)
            | ModulePath::AttentionNorm(block)
            | ModulePath::MlpNorm(block)
            | ModulePath::QueryNorm(block)
            | ModulePath::KeyNorm(block) => Some(block),
        }
    }

    /// The tensors that stand there; none where the model has no such module.
    pub fn pieces(self, model: &ModelConfig) -> &'static [ParamKind] {
        let biased = match self {
            ModulePath::Tokens => return &[ParamKind::Matrix],
            ModulePath::Positions if model.position_rows() == 0 => return &[],
            ModulePath::Head if model.tied => return &[],
            ModulePath::Positions | ModulePath::Head => return &[ParamKind::Matrix],
            ModulePath::Linear(_, Target::Gate) if !model.gated => return &[],
            ModulePath::QueryNorm(_) | ModulePath::KeyNorm(_) if !model.normed_heads => return &[],
            ModulePath::Linear(_, Target::Q | Target::K | Target::V) => model.biases.inputs,
            ModulePath::Linear(_, Target::O) => model.biases.output,
            ModulePath::Linear(_, Target::Fc1 | Target::Fc2 | Target::Gate) => model.biases.mlp,
            ModulePath::AttentionNorm(_) | ModulePath::MlpNorm(_) | ModulePath::FinalNorm => {
                model.norm.kind == NormKind::Layer
            }
            ModulePath::QueryNorm(_) | ModulePath::KeyNorm(_) => false,
        };
        match (matches!(self, ModulePath::Linear(..)), biased) {
            (true, true) => &[ParamKind::Matrix, ParamKind::Bias],
            (true, false) => &[ParamKind::Matrix],
            (false, true) => &[ParamKind::Scale, ParamKind::Bias],
            (false, false) => &[ParamKind::Scale],
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
            ModulePath::AttentionNorm(block) => format!("the norm before attention of block {}", block + 1),
            ModulePath::MlpNorm(block) => format!("the norm before the MLP of block {}", block + 1),
            ModulePath::QueryNorm(block) => format!("the norm of the queries of block {}", block + 1),
            ModulePath::KeyNorm(block) => format!("the norm of the keys of block {}", block + 1),
            ModulePath::FinalNorm => "the last norm".into(),
            ModulePath::Head => "the head".into(),
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
