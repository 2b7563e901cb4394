//! GPT-2's sizes: Radford et al. (2019), and the `config.json` of each on the Hugging Face Hub.

use super::config::MODEL_TYPE;
use crate::model::{Activation, Biases, ModelConfig, Norm, NormKind, Positions, RealModel};

/// 50,257 tokens, a context of 1,024, an MLP four times as wide, tied.
const fn gpt2(id: &'static str, title: &'static str, [width, blocks, heads]: [usize; 3]) -> RealModel {
    let config = ModelConfig {
        model_type: MODEL_TYPE,
        vocab_size: 50_257,
        max_position_embeddings: 1024,
        hidden_size: width,
        ffn_dim: 4 * width,
        num_hidden_layers: blocks,
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim: width / heads,
        activation_function: Activation::GeluNew,
        gated: false,
        positions: Positions::Learned { unused_rows: 0 },
        norm: Norm { kind: NormKind::Layer, epsilon: 1e-5 },
        normed_heads: false,
        biases: Biases::all(true),
        parallel_residual: false,
        tied: true,
    };
    RealModel { id, title, config }
}

/// openai-community/gpt2.
pub(super) static PUBLISHED: [RealModel; 4] = [
    gpt2("gpt2", "GPT-2 124 M", [768, 12, 12]),
    gpt2("gpt2-medium", "GPT-2 355 M", [1024, 24, 16]),
    gpt2("gpt2-large", "GPT-2 774 M", [1280, 36, 20]),
    gpt2("gpt2-xl", "GPT-2 1.6 B", [1600, 48, 25]),
];
