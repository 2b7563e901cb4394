//! Configurations of published models of this architecture, to see what a method costs on them.

use crate::model::{Activation, ModelConfig};

/// A published model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealModel {
    /// In addresses and flags (`opt-6.7b`).
    pub id: &'static str,
    /// As the page writes it.
    pub title: &'static str,
    /// Numbers of a position.
    pub d_model: usize,
    /// Blocks.
    pub layers: usize,
    /// Heads of a block.
    pub heads: usize,
}

/// OPT of Zhang et al. (2022), table 1: vocabulary 50,272, 2,048 positions, an MLP four times as wide, ReLU.
pub fn real_models() -> &'static [RealModel] {
    const fn opt(id: &'static str, title: &'static str, d_model: usize, layers: usize, heads: usize) -> RealModel {
        RealModel { id, title, d_model, layers, heads }
    }
    const MODELS: [RealModel; 6] = [
        opt("opt-125m", "OPT 125 M", 768, 12, 12),
        opt("opt-1.3b", "OPT 1.3 B", 2048, 24, 32),
        opt("opt-6.7b", "OPT 6.7 B", 4096, 32, 32),
        opt("opt-13b", "OPT 13 B", 5120, 40, 40),
        opt("opt-66b", "OPT 66 B", 9216, 64, 72),
        opt("opt-175b", "OPT 175 B (GPT-3’s shape)", 12288, 96, 96),
    ];
    &MODELS
}

impl RealModel {
    /// The model of an address or flag.
    pub fn named(id: &str) -> Option<&'static RealModel> {
        real_models().iter().find(|model| model.id == id)
    }

    /// Its configuration, as its `config.json` would have it.
    pub fn config(&self) -> ModelConfig {
        ModelConfig {
            model_type: "opt".into(),
            vocab_size: 50_272,
            max_position_embeddings: 2048,
            hidden_size: self.d_model,
            ffn_dim: 4 * self.d_model,
            num_hidden_layers: self.layers,
            num_attention_heads: self.heads,
            activation_function: Activation::Relu,
            do_layer_norm_before: true,
            tie_word_embeddings: true,
            word_embed_proj_dim: None,
        }
    }
}
