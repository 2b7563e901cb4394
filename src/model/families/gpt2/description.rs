//! What GPT-2 calls its parts.

#[cfg(feature = "train")]
use super::config::write;
use super::config::{MODEL_TYPE, read};
use super::gguf;
use super::published::PUBLISHED;
use crate::model::{Family, LinearModule, Target};

/// GPT-2 as Hugging Face has it.
pub static FAMILY: Family = Family {
    model_type: MODEL_TYPE,
    title: "GPT-2",
    python_class: "GPT2LMHeadModel",
    read_config: read,
    #[cfg(feature = "train")]
    write_config: write,
    gguf: Some(gguf::FORM),
    published: &PUBLISHED,
    decoder: "transformer",
    headless_decoder: "",
    head: "lm_head",
    tokens: "wte",
    positions: "wpe",
    blocks: "h",
    attention_norm: "ln_1",
    mlp_norm: "ln_2",
    head_norms: None,
    final_norm: "ln_f",
    modules: &[
        LinearModule::one("attn.c_attn", "attn.c_attn", &[Target::Q, Target::K, Target::V]),
        LinearModule::one("attn.c_proj", "attn.c_proj", &[Target::O]),
        LinearModule::one("mlp.c_fc", "mlp.c_fc", &[Target::Fc1]),
        LinearModule::one("mlp.c_proj", "mlp.c_proj", &[Target::Fc2]),
    ],
    // A `Conv1D` of transformers.
    fan_in_fan_out: true,
};
