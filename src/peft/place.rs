//! Where the tensors of θ stand.

use super::Target;
use crate::model::ModelConfig;

/// A module of the network that holds tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
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
pub enum Piece {
    /// `[vocab, d]`, `[positions, d]`, or `[inputs, outputs]` of a linear layer.
    Matrix,
    Bias,
    /// A LayerNorm's.
    Scale,
}

impl Place {
    /// Every place of a network.
    pub fn all(blocks: usize) -> impl Iterator<Item = Place> {
        let blocks = (0..blocks).flat_map(Place::of_block);
        [Place::Tokens, Place::Positions].into_iter().chain(blocks).chain([Place::FinalNorm])
    }

    /// The eight places of a block: two LayerNorms and six linear layers.
    pub fn of_block(block: usize) -> impl Iterator<Item = Place> {
        let linear = Target::ALL.map(|target| Place::Linear(block, target));
        [Place::AttentionNorm(block), Place::MlpNorm(block)].into_iter().chain(linear)
    }

    /// The tensors that stand there.
    pub fn pieces(self) -> &'static [Piece] {
        match self {
            Place::Tokens | Place::Positions => &[Piece::Matrix],
            Place::Linear(..) => &[Piece::Matrix, Piece::Bias],
            Place::AttentionNorm(_) | Place::MlpNorm(_) | Place::FinalNorm => &[Piece::Scale, Piece::Bias],
        }
    }

    /// The module's name in a checkpoint, as Hugging Face's OPT has it.
    pub fn key(self) -> String {
        match self {
            Place::Tokens => "model.decoder.embed_tokens".into(),
            Place::Positions => "model.decoder.embed_positions".into(),
            Place::Linear(block, target) => match target {
                Target::Fc1 | Target::Fc2 => format!("model.decoder.layers.{block}.{}", target.module()),
                _ => format!("model.decoder.layers.{block}.self_attn.{}", target.module()),
            },
            Place::AttentionNorm(block) => format!("model.decoder.layers.{block}.self_attn_layer_norm"),
            Place::MlpNorm(block) => format!("model.decoder.layers.{block}.final_layer_norm"),
            Place::FinalNorm => "model.decoder.final_layer_norm".into(),
        }
    }

    /// What a person calls it.
    pub fn title(self) -> String {
        match self {
            Place::Tokens => "the token embedding".into(),
            Place::Positions => "the position embedding".into(),
            Place::Linear(block, target) => {
                format!("{} of block {}", Target::OPTIONS[target as usize].1, block + 1)
            }
            Place::AttentionNorm(block) => format!("the LayerNorm before attention of block {}", block + 1),
            Place::MlpNorm(block) => format!("the LayerNorm before the MLP of block {}", block + 1),
            Place::FinalNorm => "the last LayerNorm".into(),
        }
    }

    /// Elements of one of the tensors, 0 for one that the place lacks.
    pub fn elements(self, piece: Piece, model: &ModelConfig) -> usize {
        let d = model.hidden_size;
        match (self, piece) {
            (Place::Tokens, Piece::Matrix) => model.vocab_size * d,
            (Place::Positions, Piece::Matrix) => model.position_rows() * d,
            (Place::Linear(_, target), Piece::Matrix) => {
                let (inputs, outputs) = target.shape(model);
                inputs * outputs
            }
            (Place::Linear(_, target), Piece::Bias) => target.shape(model).1,
            (Place::AttentionNorm(_) | Place::MlpNorm(_) | Place::FinalNorm, Piece::Scale | Piece::Bias) => d,
            _ => 0,
        }
    }
}

/// A spot of the network where a φ may step in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A tensor of θ that φ changes or stands in for.
    Weight(Place, Piece),
    /// The head, untied from the token embedding.
    Head,
    /// What stands in front of the text.
    Prompt,
    /// Keys and values in front of those of a block.
    Prefix(usize),
    /// What follows attention of a block, or stands beside it.
    Attention(usize),
    /// What follows the MLP of a block, or stands beside it.
    Mlp(usize),
}

impl Spot {
    /// What a person calls it.
    pub fn title(self) -> String {
        match self {
            Spot::Weight(place, Piece::Bias) => format!("the bias of {}", place.title().trim_start_matches("the ")),
            Spot::Weight(place, _) => place.title(),
            Spot::Head => "the head".into(),
            Spot::Prompt => "the front of the text".into(),
            Spot::Prefix(block) => format!("keys and values of block {}", block + 1),
            Spot::Attention(block) => format!("what attention of block {} gives", block + 1),
            Spot::Mlp(block) => format!("what the MLP of block {} gives", block + 1),
        }
    }
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
        let elements = |place: Place| place.pieces().iter().map(|p| place.elements(*p, &model)).sum::<usize>();
        assert_eq!(Place::all(3).map(elements).sum::<usize>(), model.parameters());
    }
}
