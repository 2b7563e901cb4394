//! GPT-NeoX's `config.json`.

use crate::model::families::rope;
use crate::model::{Activation, Biases, ConfigKeys, ModelConfig, ModelConfigError, Norm, NormKind, Positions};

pub(super) const MODEL_TYPE: &str = "gpt_neox";

/// Reads the file's keys, with the defaults of transformers' `GPTNeoXConfig`, and refuses what this network does
/// not compute.
pub fn read(keys: &ConfigKeys) -> Result<ModelConfig, ModelConfigError> {
    let (hidden_size, heads) = (keys.size("hidden_size", 6144)?, keys.size("num_attention_heads", 64)?);
    let head_dim = ModelConfig::share_of_width(("hidden_size", hidden_size), ("num_attention_heads", heads))?;
    let dims = rope::dims(keys, "rotary_pct", 0.25, head_dim)?;
    let attention = keys.flag("attention_bias", true)?;
    let config = ModelConfig {
        model_type: MODEL_TYPE,
        vocab_size: keys.size("vocab_size", 50_432)?,
        max_position_embeddings: keys.size("max_position_embeddings", 2048)?,
        hidden_size,
        ffn_dim: keys.size("intermediate_size", 24_576)?,
        num_hidden_layers: keys.size("num_hidden_layers", 44)?,
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim,
        activation_function: keys.activation("hidden_act", Activation::Gelu, &Activation::PLAIN)?,
        gated: false,
        positions: Positions::Rotary { base: rope::base(keys, "rotary_emb_base")?, dims },
        norm: Norm { kind: NormKind::Layer, epsilon: keys.number("layer_norm_eps", 1e-5)? },
        normed_heads: false,
        biases: Biases { inputs: attention, output: attention, mlp: true },
        parallel_residual: keys.flag("use_parallel_residual", true)?,
        tied: keys.flag("tie_word_embeddings", false)?,
    };
    config.checked([
        "vocab_size",
        "max_position_embeddings",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
    ])
}

/// The file's JSON, without dropout.
#[cfg(feature = "train")]
pub fn write(c: &ModelConfig) -> serde_json::Value {
    let mut json = serde_json::json!({
        "architectures": ["GPTNeoXForCausalLM"], "model_type": MODEL_TYPE, "vocab_size": c.vocab_size,
        "max_position_embeddings": c.max_position_embeddings, "hidden_size": c.hidden_size,
        "intermediate_size": c.ffn_dim, "num_hidden_layers": c.num_hidden_layers,
        "num_attention_heads": c.num_attention_heads, "hidden_act": c.activation_function,
        "layer_norm_eps": c.norm.epsilon, "use_parallel_residual": c.parallel_residual,
        "attention_bias": c.biases.inputs, "tie_word_embeddings": c.tied, "attention_dropout": 0.0,
        "hidden_dropout": 0.0,
    });
    if let Positions::Rotary { base, dims } = c.positions {
        json["rotary_emb_base"] = base.into();
        json["rotary_pct"] = (dims as f64 / c.head_dim as f64).into();
    }
    json
}
