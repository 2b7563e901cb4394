//! Llama and the models that share its modules in GGUF. Files of Mistral say that they are of Llama.

use crate::model::files::TensorFileError;
use crate::model::files::gguf::{GgufForm, Settings, Value};

pub(super) const LLAMA: GgufForm = GgufForm {
    architecture: "llama",
    config: |settings| {
        shared(settings)?;
        settings.told_by("blk.0.attn_q.bias", "attention_bias");
        settings.told_by("blk.0.ffn_up.bias", "mlp_bias");
        Ok(())
    },
    turned: true,
    in_python: Ok(()),
};

/// Qwen2's converter leaves rows as they are, and so does Qwen3's.
pub(super) const QWEN2: GgufForm = GgufForm { architecture: "qwen2", config: shared, turned: false, in_python: Ok(()) };

pub(super) const QWEN3: GgufForm = GgufForm {
    architecture: "qwen3",
    config: |settings| {
        shared(settings)?;
        settings.told_by("blk.0.attn_q.bias", "attention_bias");
        Ok(())
    },
    turned: false,
    in_python: Ok(()),
};

fn shared(settings: &mut Settings<'_>) -> Result<(), TensorFileError> {
    settings.context("max_position_embeddings")?;
    for (key, as_key) in [
        ("embedding_length", "hidden_size"),
        ("feed_forward_length", "intermediate_size"),
        ("block_count", "num_hidden_layers"),
        ("attention.head_count", "num_attention_heads"),
    ] {
        settings.copy(key, as_key)?;
    }
    // Where it is left out, each head of queries has its own keys and values.
    let key_value = ["attention.head_count_kv", "attention.head_count"];
    for key in key_value.into_iter().skip(usize::from(settings.size(key_value[0])?.is_none())).take(1) {
        settings.copy(key, "num_key_value_heads")?;
    }
    settings.copy_number("attention.layer_norm_rms_epsilon", "rms_norm_eps")?;
    settings.copy_if_there("rope.freq_base", "rope_theta")?;
    settings.tied("tie_word_embeddings");
    head(settings)
}

/// The width of a head, all of which is turned: of keys, of values and in the angles it is the same.
fn head(settings: &mut Settings<'_>) -> Result<(), TensorFileError> {
    let keys = ["attention.key_length", "rope.dimension_count", "attention.value_length"];
    let mut width = None;
    for key in keys {
        let Some(found) = settings.size(key)? else { continue };
        match width {
            None => width = Some((key, found)),
            Some((_, known)) if known == found => {}
            Some((other, known)) => {
                let expected =
                    format!("{known}, what {other} says: a head has one width here, and all of it is turned");
                return Err(settings.refused(key, &Value::Integer(found as i128), expected));
            }
        }
    }
    match width {
        Some((key, width)) => settings.put("head_dim", key, width),
        // An equal share of the width, whatever the class of transformers has by default.
        None => settings.put("head_dim", keys[0], serde_json::Value::Null),
    }
    Ok(())
}
