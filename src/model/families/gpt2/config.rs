//! GPT-2's `config.json`.

use crate::model::{Activation, ModelConfig, ModelConfigError};
use serde::Deserialize;
use serde_json::Value;

pub(super) const MODEL_TYPE: &str = "gpt2";

/// The epsilon of the network's LayerNorms.
const EPSILON: f64 = 1e-5;

/// transformers' `GPT2Config`. Sizes have no default here: a file without them is not of a model.
#[derive(Deserialize)]
struct Gpt2Config {
    vocab_size: usize,
    n_positions: usize,
    n_embd: usize,
    n_layer: usize,
    n_head: usize,
    /// Four times the width where it is null.
    #[serde(default)]
    n_inner: Option<usize>,
    #[serde(default = "gelu_new")]
    activation_function: Activation,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
    #[serde(default = "yes")]
    scale_attn_weights: bool,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    #[serde(default)]
    add_cross_attention: bool,
    #[serde(default = "epsilon")]
    layer_norm_epsilon: f64,
}

fn yes() -> bool {
    true
}

fn gelu_new() -> Activation {
    Activation::GeluNew
}

fn epsilon() -> f64 {
    EPSILON
}

/// Reads the file's JSON. Refuses what this network does not compute, sizes that no model has, and sizes that
/// are missing.
pub fn read(json: Value) -> Result<ModelConfig, ModelConfigError> {
    let c: Gpt2Config = serde_json::from_value(json)?;
    for (key, value, wanted) in [
        ("scale_attn_weights", c.scale_attn_weights, true),
        ("scale_attn_by_inverse_layer_idx", c.scale_attn_by_inverse_layer_idx, false),
        ("add_cross_attention", c.add_cross_attention, false),
        ("tie_word_embeddings", c.tie_word_embeddings, true),
    ] {
        if value != wanted {
            return Err(ModelConfigError::unsupported(key, value, wanted.to_string()));
        }
    }
    if c.layer_norm_epsilon != EPSILON {
        return Err(ModelConfigError::unsupported("layer_norm_epsilon", c.layer_norm_epsilon, "1e-5"));
    }
    let config = ModelConfig {
        model_type: MODEL_TYPE,
        vocab_size: c.vocab_size,
        max_position_embeddings: c.n_positions,
        position_offset: 0,
        hidden_size: c.n_embd,
        ffn_dim: c.n_inner.unwrap_or(4 * c.n_embd),
        num_hidden_layers: c.n_layer,
        num_attention_heads: c.n_head,
        activation_function: c.activation_function,
    };
    config.checked(["vocab_size", "n_positions", "n_embd", "n_inner", "n_layer", "n_head"])
}

/// The file's JSON. No dropout: the trainer here has none in θ.
#[cfg(feature = "train")]
pub fn write(c: &ModelConfig) -> Value {
    serde_json::json!({
        "architectures": ["GPT2LMHeadModel"], "model_type": MODEL_TYPE, "vocab_size": c.vocab_size,
        "n_positions": c.max_position_embeddings, "n_embd": c.hidden_size, "n_inner": c.ffn_dim,
        "n_layer": c.num_hidden_layers, "n_head": c.num_attention_heads,
        "activation_function": c.activation_function, "layer_norm_epsilon": EPSILON, "tie_word_embeddings": true,
        "attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0,
    })
}
