//! Where the tensors of θ stand.

use super::ModelConfig;
use super::Target;

/// A module of the network that holds tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModulePath {
    /// Token embedding and, tied, the head.
    Tokens,
    Positions,
    /// A linear layer of a block, blocks from 0.
    Linear(usize, Target),
    AttentionNorm(usize),
    MlpNorm(usize),
    FinalNorm,
}

/// One of a place's tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// `[vocab, d]`, `[positions, d]`, or `[inputs, outputs]` of a linear layer.
    Matrix,
    Bias,
    /// A LayerNorm's.
    Scale,
}

impl ModulePath {
    /// Every place of a network.
    pub fn all(blocks: usize) -> impl Iterator<Item = ModulePath> {
        let blocks = (0..blocks).flat_map(ModulePath::of_block);
        [ModulePath::Tokens, ModulePath::Positions].into_iter().chain(blocks).chain([ModulePath::FinalNorm])
    }

    /// The eight places of a block: two LayerNorms and six linear layers.
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

    /// The module's name in a checkpoint, as Hugging Face's OPT has it.
    pub fn key(self) -> String {
        match self {
            ModulePath::Tokens => "model.decoder.embed_tokens".into(),
            ModulePath::Positions => "model.decoder.embed_positions".into(),
            ModulePath::Linear(block, target) => match target {
                Target::Fc1 | Target::Fc2 => format!("model.decoder.layers.{block}.{}", target.module()),
                _ => format!("model.decoder.layers.{block}.self_attn.{}", target.module()),
            },
            ModulePath::AttentionNorm(block) => format!("model.decoder.layers.{block}.self_attn_layer_norm"),
            ModulePath::MlpNorm(block) => format!("model.decoder.layers.{block}.final_layer_norm"),
            ModulePath::FinalNorm => "model.decoder.final_layer_norm".into(),
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

    /// Elements of one of the tensors, 0 for one that the place lacks.
    pub fn elements(self, piece: ParamKind, model: &ModelConfig) -> usize {
        let d = model.hidden_size;
        match (self, piece) {
            (ModulePath::Tokens, ParamKind::Matrix) => model.vocab_size * d,
            (ModulePath::Positions, ParamKind::Matrix) => model.position_rows() * d,
            (ModulePath::Linear(_, target), ParamKind::Matrix) => {
                let (inputs, outputs) = target.shape(model);
                inputs * outputs
            }
            (ModulePath::Linear(_, target), ParamKind::Bias) => target.shape(model).1,
            (
                ModulePath::AttentionNorm(_) | ModulePath::MlpNorm(_) | ModulePath::FinalNorm,
                ParamKind::Scale | ParamKind::Bias,
            ) => d,
            _ => 0,
        }
    }
}

/// The two halves of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sublayer {
    Attention,
    Mlp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Activation;

    #[test]
    fn the_pieces_of_all_places_are_all_of_theta() {
        let model = ModelConfig {
            model_type: "opt".into(),
            vocab_size: 23,
            max_position_embeddings: 24,
            hidden_size: 16,
            ffn_dim: 40,
            num_hidden_layers: 3,
            num_attention_heads: 2,
            activation_function: Activation::Relu,
            do_layer_norm_before: true,
            tie_word_embeddings: true,
            word_embed_proj_dim: None,
        };
        let elements = |place: ModulePath| place.pieces().iter().map(|p| place.elements(*p, &model)).sum::<usize>();
        assert_eq!(ModulePath::all(3).map(elements).sum::<usize>(), model.parameters());
    }
}
