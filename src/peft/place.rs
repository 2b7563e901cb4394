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

    /// Elements of one of the tensors, 0 for one that the place lacks.
    pub fn elements(self, piece: Piece, model: &ModelConfig) -> usize {
        let d = model.hidden_size;
        match (self, piece) {
            (Place::Tokens, Piece::Matrix) => model.vocab_size * d,
            (Place::Positions, Piece::Matrix) => (model.max_position_embeddings + ModelConfig::POSITION_OFFSET) * d,
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
