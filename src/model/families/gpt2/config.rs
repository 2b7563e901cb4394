//! GPT-2's `config.json`.

use crate::model::{Activation, Biases, ConfigKeys, ModelConfig, ModelConfigError, Norm, NormKind, Positions};

pub(super) const MODEL_TYPE: &str = "gpt2";

/// Reads the file's keys, with the defaults and second names of transformers' `GPT2Config`, and refuses what
/// this network does not compute. Keys that are not named here do not change the logits:
/// `reorder_and_upcast_attn` changes the order of two products, which is one in full precision.
pub fn read(keys: &ConfigKeys) -> Result<ModelConfig, ModelConfigError> {
    keys.must_be("scale_attn_weights", true, true, ": scores are divided by the root of a head's width here")?;
    keys.must_be("scale_attn_by_inverse_layer_idx", false, false, ": scores are scaled alike in every block here")?;
    keys.must_be("add_cross_attention", false, false, ": there is no encoder to attend to")?;
    keys.must_be("tie_word_embeddings", true, true, ": a head of its own has no place in this lab")?;
    let hidden_size = keys.size_of("n_embd", "hidden_size", 768)?;
    let num_attention_heads = keys.size_of("n_head", "num_attention_heads", 12)?;
    let config = ModelConfig {
        model_type: MODEL_TYPE,
        vocab_size: keys.size("vocab_size", 50_257)?,
        max_position_embeddings: keys.size_of("n_positions", "max_position_embeddings", 1024)?,
        hidden_size,
        // Four times the width where it is null.
        ffn_dim: keys.optional_size("n_inner")?.unwrap_or(hidden_size.saturating_mul(4)),
        num_hidden_layers: keys.size_of("n_layer", "num_hidden_layers", 12)?,
        num_attention_heads,
        num_key_value_heads: num_attention_heads,
        head_dim: ModelConfig::share_of_width(("n_embd", hidden_size), ("n_head", num_attention_heads))?,
        activation_function: keys.activation("activation_function", Activation::GeluNew, &Activation::PLAIN)?,
        gated: false,
        positions: Positions::Learned { unused_rows: 0 },
        norm: Norm { kind: NormKind::Layer, epsilon: keys.number("layer_norm_epsilon", 1e-5)? },
        normed_heads: false,
        biases: Biases::all(true),
        parallel_residual: false,
        tied: true,
    };
    config.checked(["vocab_size", "n_positions", "n_embd", "n_inner", "n_layer", "n_head"])
}

/// The file's JSON. No dropout: the trainer here has none in θ.
#[cfg(feature = "train")]
pub fn write(c: &ModelConfig) -> serde_json::Value {
    serde_json::json!({
        "architectures": ["GPT2LMHeadModel"], "model_type": MODEL_TYPE, "vocab_size": c.vocab_size,
        "n_positions": c.max_position_embeddings, "n_embd": c.hidden_size, "n_inner": c.ffn_dim,
        "n_layer": c.num_hidden_layers, "n_head": c.num_attention_heads,
        "activation_function": c.activation_function, "layer_norm_epsilon": c.norm.epsilon, "tie_word_embeddings": true,
        "attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0,
    })
}
