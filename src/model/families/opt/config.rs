//! OPT's `config.json`.

use crate::model::{Activation, Biases, ConfigKeys, ModelConfig, ModelConfigError, Norm, NormKind, Positions, Sizes};

pub(super) const MODEL_TYPE: &str = "opt";

/// A model of these sizes. Two rows stand in front of OPT's position table that no token uses: fairseq kept
/// them for padding.
pub const fn config(sizes: Sizes, activation_function: Activation) -> ModelConfig {
    ModelConfig {
        model_type: MODEL_TYPE,
        vocab_size: sizes.vocab_size,
        max_position_embeddings: sizes.max_position_embeddings,
        hidden_size: sizes.hidden_size,
        ffn_dim: sizes.ffn_dim,
        num_hidden_layers: sizes.num_hidden_layers,
        num_attention_heads: sizes.num_attention_heads,
        num_key_value_heads: sizes.num_attention_heads,
        // `read` refuses heads that do not divide the width, and none.
        head_dim: match sizes.hidden_size.checked_div(sizes.num_attention_heads) {
            Some(width) => width,
            None => 0,
        },
        activation_function,
        gated: false,
        positions: Positions::Learned { unused_rows: 2 },
        norm: Norm { kind: NormKind::Layer, epsilon: 1e-5 },
        normed_heads: false,
        biases: Biases::all(true),
        parallel_residual: false,
        tied: true,
    }
}

/// Reads the file's keys, with the defaults of transformers' `OPTConfig`, and refuses what this network does
/// not compute. Keys that are not named here do not change the logits.
pub fn read(keys: &ConfigKeys) -> Result<ModelConfig, ModelConfigError> {
    keys.must_be("do_layer_norm_before", true, true, " (pre-LayerNorm), as all sizes of OPT but 350m have it")?;
    keys.must_be("tie_word_embeddings", true, true, ": a head of its own has no place in this lab")?;
    keys.must_be("enable_bias", true, true, ": every linear layer has its bias here")?;
    keys.must_be("layer_norm_elementwise_affine", true, true, ": every LayerNorm has its scale and bias here")?;
    keys.must_be("_remove_final_layer_norm", false, false, ": the LayerNorm behind the blocks is always there")?;
    let sizes = Sizes {
        vocab_size: keys.size("vocab_size", 50_272)?,
        max_position_embeddings: keys.size("max_position_embeddings", 2048)?,
        hidden_size: keys.size("hidden_size", 768)?,
        ffn_dim: keys.size("ffn_dim", 3072)?,
        num_hidden_layers: keys.size("num_hidden_layers", 12)?,
        num_attention_heads: keys.size("num_attention_heads", 12)?,
    };
    if let Some(width) = keys.optional_size("word_embed_proj_dim")?.filter(|width| *width != sizes.hidden_size) {
        let known = format!("hidden_size, {}, as all sizes of OPT but 350m have it", sizes.hidden_size);
        return Err(ModelConfigError::unsupported("word_embed_proj_dim", width, known));
    }
    ModelConfig::share_of_width(
        ("hidden_size", sizes.hidden_size),
        ("num_attention_heads", sizes.num_attention_heads),
    )?;
    let activation = keys.activation("activation_function", Activation::Relu, &Activation::PLAIN)?;
    config(sizes, activation).checked([
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
pub fn write(c: &ModelConfig) -> serde_json::Value {
    serde_json::json!({
        "architectures": ["OPTForCausalLM"], "model_type": MODEL_TYPE, "vocab_size": c.vocab_size,
        "max_position_embeddings": c.max_position_embeddings, "hidden_size": c.hidden_size,
        "word_embed_proj_dim": c.hidden_size, "ffn_dim": c.ffn_dim, "num_hidden_layers": c.num_hidden_layers,
        "num_attention_heads": c.num_attention_heads, "activation_function": c.activation_function,
        "do_layer_norm_before": true, "tie_word_embeddings": true, "enable_bias": true,
        "layer_norm_elementwise_affine": true, "dropout": 0.0, "attention_dropout": 0.0, "layerdrop": 0.0,
    })
}
