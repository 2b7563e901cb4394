//! The `config.json` of Llama, Mistral, Qwen2 and Qwen3.

use crate::model::families::rope;
use crate::model::{Activation, Biases, ConfigKeys, ModelConfig, ModelConfigError, Norm, NormKind, Positions};

pub(super) const LLAMA: &str = "llama";
pub(super) const MISTRAL: &str = "mistral";
pub(super) const QWEN2: &str = "qwen2";
pub(super) const QWEN3: &str = "qwen3";

/// transformers' class of each.
pub(super) const CLASSES: [(&str, &str); 4] = [
    (LLAMA, "LlamaForCausalLM"),
    (MISTRAL, "MistralForCausalLM"),
    (QWEN2, "Qwen2ForCausalLM"),
    (QWEN3, "Qwen3ForCausalLM"),
];

/// In what the classes of transformers differ: defaults, and what is there whatever the file says.
struct Class {
    model_type: &'static str,
    vocab_size: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    /// `None` is as many as heads of queries.
    num_key_value_heads: Option<usize>,
    /// `None` is an equal share of the width.
    head_dim: Option<usize>,
    biases: fn(&ConfigKeys) -> Result<Biases, ModelConfigError>,
    normed_heads: bool,
    /// The window where the file does not say.
    window: fn(&ConfigKeys) -> Result<Option<usize>, ModelConfigError>,
}

/// Reads the keys of `llama`, with the defaults of transformers' `LlamaConfig`.
pub fn read_llama(keys: &ConfigKeys) -> Result<ModelConfig, ModelConfigError> {
    read(
        keys,
        &Class {
            model_type: LLAMA,
            vocab_size: 32_000,
            intermediate_size: 11_008,
            max_position_embeddings: 2048,
            num_key_value_heads: None,
            head_dim: None,
            biases: |keys| {
                let attention = keys.flag("attention_bias", false)?;
                Ok(Biases { inputs: attention, output: attention, mlp: keys.flag("mlp_bias", false)? })
            },
            normed_heads: false,
            window: |_| Ok(None),
        },
    )
}

/// Reads the keys of `mistral`, with the defaults of transformers' `MistralConfig`.
pub fn read_mistral(keys: &ConfigKeys) -> Result<ModelConfig, ModelConfigError> {
    read(
        keys,
        &Class {
            model_type: MISTRAL,
            vocab_size: 32_000,
            intermediate_size: 14_336,
            max_position_embeddings: 4096 * 32,
            num_key_value_heads: Some(8),
            head_dim: None,
            biases: |_| Ok(Biases::all(false)),
            normed_heads: false,
            window: |keys| {
                if keys.has("sliding_window") { keys.optional_size("sliding_window") } else { Ok(Some(4096)) }
            },
        },
    )
}

/// Reads the keys of `qwen2`, with the defaults of transformers' `Qwen2Config`.
pub fn read_qwen2(keys: &ConfigKeys) -> Result<ModelConfig, ModelConfigError> {
    read(
        keys,
        &Class {
            model_type: QWEN2,
            vocab_size: 151_936,
            intermediate_size: 22_016,
            max_position_embeddings: 32_768,
            num_key_value_heads: Some(32),
            head_dim: None,
            biases: |_| Ok(Biases { inputs: true, output: false, mlp: false }),
            normed_heads: false,
            window: qwen_window,
        },
    )
}

/// Reads the keys of `qwen3`, with the defaults of transformers' `Qwen3Config`.
pub fn read_qwen3(keys: &ConfigKeys) -> Result<ModelConfig, ModelConfigError> {
    read(
        keys,
        &Class {
            model_type: QWEN3,
            vocab_size: 151_936,
            intermediate_size: 22_016,
            max_position_embeddings: 32_768,
            num_key_value_heads: Some(32),
            head_dim: Some(128),
            biases: |keys| {
                let attention = keys.flag("attention_bias", false)?;
                Ok(Biases { inputs: attention, output: attention, mlp: false })
            },
            normed_heads: true,
            window: qwen_window,
        },
    )
}

/// The window of Qwen's upper layers, where it is switched on.
fn qwen_window(keys: &ConfigKeys) -> Result<Option<usize>, ModelConfigError> {
    if !keys.flag("use_sliding_window", false)? {
        return Ok(None);
    }
    if keys.has("sliding_window") { keys.optional_size("sliding_window") } else { Ok(Some(4096)) }
}

fn read(keys: &ConfigKeys, class: &Class) -> Result<ModelConfig, ModelConfigError> {
    let (hidden_size, heads) = (keys.size("hidden_size", 4096)?, keys.size("num_attention_heads", 32)?);
    let share = || ModelConfig::share_of_width(("hidden_size", hidden_size), ("num_attention_heads", heads));
    let head_dim = match (keys.optional_size("head_dim")?, class.head_dim) {
        (Some(width), _) => width,
        (None, Some(width)) if !keys.has("head_dim") => width,
        _ => share()?,
    };
    let default = class.num_key_value_heads.unwrap_or(heads);
    let num_key_value_heads = match keys.has("num_key_value_heads") {
        true => keys.optional_size("num_key_value_heads")?.unwrap_or(heads),
        false => default,
    };
    let positions = keys.size("max_position_embeddings", class.max_position_embeddings)?;
    // Within its window a token sees all before it: no text here is longer than that.
    let positions = (class.window)(keys)?.map_or(positions, |window| window.min(positions));
    let config = ModelConfig {
        model_type: class.model_type,
        vocab_size: keys.size("vocab_size", class.vocab_size)?,
        max_position_embeddings: positions,
        hidden_size,
        ffn_dim: keys.size("intermediate_size", class.intermediate_size)?,
        num_hidden_layers: keys.size("num_hidden_layers", 32)?,
        num_attention_heads: heads,
        num_key_value_heads,
        head_dim,
        activation_function: keys.activation("hidden_act", Activation::Silu, &[Activation::Silu])?,
        gated: true,
        positions: Positions::Rotary { base: rope::base(keys, "rope_theta")?, dims: head_dim },
        norm: Norm { kind: NormKind::Root, epsilon: keys.number("rms_norm_eps", 1e-6)? },
        normed_heads: class.normed_heads,
        biases: (class.biases)(keys)?,
        parallel_residual: false,
        tied: keys.flag("tie_word_embeddings", false)?,
    };
    rope::whole(keys)?;
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
    let class = CLASSES.iter().find(|(model_type, _)| *model_type == c.model_type).map(|(_, class)| [class]);
    let mut json = serde_json::json!({
        "architectures": class, "model_type": c.model_type,
        "vocab_size": c.vocab_size, "max_position_embeddings": c.max_position_embeddings,
        "hidden_size": c.hidden_size, "intermediate_size": c.ffn_dim, "num_hidden_layers": c.num_hidden_layers,
        "num_attention_heads": c.num_attention_heads, "num_key_value_heads": c.num_key_value_heads,
        "head_dim": c.head_dim, "hidden_act": c.activation_function, "rms_norm_eps": c.norm.epsilon,
        "tie_word_embeddings": c.tied, "attention_dropout": 0.0, "sliding_window": null,
    });
    if let Positions::Rotary { base, .. } = c.positions {
        json["rope_theta"] = base.into();
    }
    // Qwen2 has its biases whatever the file says.
    if c.model_type == LLAMA || c.model_type == QWEN3 {
        json["attention_bias"] = c.biases.inputs.into();
    }
    if c.model_type == LLAMA {
        json["mlp_bias"] = c.biases.mlp.into();
    }
    json
}
