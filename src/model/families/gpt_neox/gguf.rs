//! GPT-NeoX in GGUF. The rows of the shared matrix are not head by head there, but one whole matrix after the other.

use crate::model::files::gguf::{GgufForm, Value};

pub(super) const FORM: GgufForm = GgufForm {
    architecture: "gptneox",
    config: |settings| {
        settings.context("max_position_embeddings")?;
        for (key, as_key) in [
            ("embedding_length", "hidden_size"),
            ("feed_forward_length", "intermediate_size"),
            ("block_count", "num_hidden_layers"),
            ("attention.head_count", "num_attention_heads"),
        ] {
            settings.copy(key, as_key)?;
        }
        settings.copy_number("attention.layer_norm_epsilon", "layer_norm_eps")?;
        settings.copy_if_there("rope.freq_base", "rotary_emb_base")?;
        settings.copy_flag("use_parallel_residual", "use_parallel_residual")?;
        settings.told_by("blk.0.attn_qkv.bias", "attention_bias");
        settings.tied("tie_word_embeddings");
        let (width, heads) = (settings.size("embedding_length")?, settings.size("attention.head_count")?);
        let (width, heads) = (width.unwrap_or(0), heads.unwrap_or(0).max(1));
        let turned = settings.size("rope.dimension_count")?.unwrap_or(width / heads);
        if turned > width / heads {
            let known = format!("no more than a head is wide, {}", width / heads);
            return Err(settings.refused("rope.dimension_count", &Value::Integer(turned as i128), known));
        }
        settings.put("rotary_pct", "rope.dimension_count", share(turned, width / heads));
        Ok(())
    },
    turned: false,
    in_python: Err(
        "transformers does not read GPT-NeoX from GGUF: take config.json, model.safetensors and tokenizer.json of the model that the file was made from.",
    ),
};

/// A share of a width that gives a part of it, rounded down as transformers rounds.
fn share(part: usize, width: usize) -> f64 {
    let share = part as f64 / width.max(1) as f64;
    if ((width as f64 * share) as usize) < part { share.next_up() } else { share }
}
