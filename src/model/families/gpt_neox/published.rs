//! Pythia's sizes: Biderman et al. (2023), and the `config.json` of each on the Hugging Face Hub.

use super::config::MODEL_TYPE;
use crate::model::{Activation, Biases, ModelConfig, Norm, NormKind, Positions, RealModel};

/// A context of 2,048, an MLP four times as wide, a quarter of each head turned, a head of its own. Larger ones
/// have padded vocabularies.
const fn pythia(
    id: &'static str,
    title: &'static str,
    vocab_size: usize,
    [width, blocks, heads]: [usize; 3],
) -> RealModel {
    let head_dim = width / heads;
    let config = ModelConfig {
        model_type: MODEL_TYPE,
        vocab_size,
        max_position_embeddings: 2048,
        hidden_size: width,
        ffn_dim: 4 * width,
        num_hidden_layers: blocks,
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim,
        activation_function: Activation::Gelu,
        gated: false,
        positions: Positions::Rotary { base: 10_000.0, dims: head_dim / 4 },
        norm: Norm { kind: NormKind::Layer, epsilon: 1e-5 },
        normed_heads: false,
        biases: Biases::all(true),
        parallel_residual: true,
        tied: false,
    };
    RealModel { id, title, config }
}

/// EleutherAI/pythia.
pub(super) static PUBLISHED: [RealModel; 7] = [
    pythia("pythia-70m", "Pythia 70 M", 50_304, [512, 6, 8]),
    pythia("pythia-160m", "Pythia 160 M", 50_304, [768, 12, 12]),
    pythia("pythia-410m", "Pythia 410 M", 50_304, [1024, 24, 16]),
    pythia("pythia-1b", "Pythia 1 B", 50_304, [2048, 16, 8]),
    pythia("pythia-1.4b", "Pythia 1.4 B", 50_304, [2048, 24, 16]),
    pythia("pythia-6.9b", "Pythia 6.9 B", 50_432, [4096, 32, 32]),
    pythia("pythia-12b", "Pythia 12 B", 50_688, [5120, 36, 40]),
];
