//! OPT's sizes: table 1 of Zhang et al. (2022).

use super::config::config;
use crate::model::{Activation, RealModel, Sizes};

/// Vocabulary 50,272, 2,048 positions, an MLP four times as wide, ReLU.
const fn opt(id: &'static str, title: &'static str, d_model: usize, blocks: usize, heads: usize) -> RealModel {
    let sizes = Sizes {
        vocab_size: 50_272,
        max_position_embeddings: 2048,
        hidden_size: d_model,
        ffn_dim: 4 * d_model,
        num_hidden_layers: blocks,
        num_attention_heads: heads,
    };
    RealModel { id, title, config: config(sizes, Activation::Relu) }
}

/// The table's models that the ledger offers.
pub static PUBLISHED: [RealModel; 6] = [
    opt("opt-125m", "OPT 125 M", 768, 12, 12),
    opt("opt-1.3b", "OPT 1.3 B", 2048, 24, 32),
    opt("opt-6.7b", "OPT 6.7 B", 4096, 32, 32),
    opt("opt-13b", "OPT 13 B", 5120, 40, 40),
    opt("opt-66b", "OPT 66 B", 9216, 64, 72),
    opt("opt-175b", "OPT 175 B (GPT-3’s shape)", 12288, 96, 96),
];
