//! OPT's `config.json`.

use crate::model::{Activation, ModelConfig, ModelConfigError, Sizes};
use serde::Deserialize;
use serde_json::Value;

pub(super) const MODEL_TYPE: &str = "opt";

/// A model of these sizes. Two rows stand in front of OPT's position table that no token uses: fairseq kept
/// them for padding.
pub const fn config(sizes: Sizes, activation_function: Activation) -> ModelConfig {
    ModelConfig {
        model_type: MODEL_TYPE,
        vocab_size: sizes.vocab_size,
        max_position_embeddings: sizes.max_position_embeddings,
        position_offset: 2,
        hidden_size: sizes.hidden_size,
        ffn_dim: sizes.ffn_dim,
        num_hidden_layers: sizes.num_hidden_layers,
        num_attention_heads: sizes.num_attention_heads,
        activation_function,
    }
}

/// transformers' `OPTConfig`. Sizes have no default here: a file without them is not of a model.
#[derive(Deserialize)]
struct OptConfig {
    vocab_size: usize,
    max_position_embeddings: usize,
    hidden_size: usize,
    ffn_dim: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    #[serde(default = "relu")]
    activation_function: Activation,
    #[serde(default = "yes")]
    do_layer_norm_before: bool,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
    #[serde(default)]
    word_embed_proj_dim: Option<usize>,
    #[serde(default = "yes")]
    enable_bias: bool,
    #[serde(default = "yes")]
    layer_norm_elementwise_affine: bool,
    #[serde(default, rename = "_remove_final_layer_norm")]
    remove_final_layer_norm: bool,
}

fn yes() -> bool {
    true
}

fn relu() -> Activation {
    Activation::Relu
}

/// Reads the file's JSON. Refuses what this network does not compute, sizes that no model has, and sizes that
/// are missing.
pub fn read(json: Value) -> Result<ModelConfig, ModelConfigError> {
    let c: OptConfig = serde_json::from_value(json)?;
    let refuse = |key, found: String, expected: &str| Err(ModelConfigError::unsupported(key, found, expected));
    if !c.do_layer_norm_before {
        return refuse("do_layer_norm_before", "false".into(), "true (pre-LayerNorm)");
    }
    for (key, value) in [
        ("tie_word_embeddings", c.tie_word_embeddings),
        ("enable_bias", c.enable_bias),
        ("layer_norm_elementwise_affine", c.layer_norm_elementwise_affine),
    ] {
        if !value {
            return refuse(key, "false".into(), "true");
        }
    }
    if c.remove_final_layer_norm {
        return refuse("_remove_final_layer_norm", "true".into(), "false");
    }
    if c.word_embed_proj_dim.is_some_and(|d| d != c.hidden_size) {
        return refuse("word_embed_proj_dim", format!("{:?}", c.word_embed_proj_dim), "hidden_size");
    }
    let sizes = Sizes {
        vocab_size: c.vocab_size,
        max_position_embeddings: c.max_position_embeddings,
        hidden_size: c.hidden_size,
        ffn_dim: c.ffn_dim,
        num_hidden_layers: c.num_hidden_layers,
        num_attention_heads: c.num_attention_heads,
    };
    config(sizes, c.activation_function).checked([
        "vocab_size",
        "max_position_embeddings",
        "hidden_size",
        "ffn_dim",
        "num_hidden_layers",
        "num_attention_heads",
    ])
}

/// The file's JSON. No dropout: the trainer here has none in θ.
#[cfg(feature = "train")]
pub fn write(c: &ModelConfig) -> Value {
    serde_json::json!({
        "architectures": ["OPTForCausalLM"], "model_type": MODEL_TYPE, "vocab_size": c.vocab_size,
        "max_position_embeddings": c.max_position_embeddings, "hidden_size": c.hidden_size,
        "word_embed_proj_dim": c.hidden_size, "ffn_dim": c.ffn_dim, "num_hidden_layers": c.num_hidden_layers,
        "num_attention_heads": c.num_attention_heads, "activation_function": c.activation_function,
        "do_layer_norm_before": true, "tie_word_embeddings": true, "enable_bias": true,
        "layer_norm_elementwise_affine": true, "dropout": 0.0, "attention_dropout": 0.0, "layerdrop": 0.0,
    })
}
