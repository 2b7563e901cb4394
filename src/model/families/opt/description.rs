//! What OPT calls its parts.

#[cfg(feature = "train")]
use super::config::write;
use super::config::{MODEL_TYPE, read};
use super::published::PUBLISHED;
use crate::model::{Family, LinearModule, Target};

/// OPT as Hugging Face has it.
pub static FAMILY: Family = Family {
    model_type: MODEL_TYPE,
    title: "OPT",
    python_class: "OPTForCausalLM",
    read_config: read,
    #[cfg(feature = "train")]
    write_config: write,
    gguf: None,
    published: &PUBLISHED,
    decoder: "model.decoder",
    headless_decoder: "decoder",
    head: "lm_head",
    tokens: "embed_tokens",
    positions: "embed_positions",
    blocks: "layers",
    attention_norm: "self_attn_layer_norm",
    // The norm behind all blocks has the same name, one level up.
    mlp_norm: "final_layer_norm",
    head_norms: None,
    final_norm: "final_layer_norm",
    modules: &[
        LinearModule::one("self_attn.q_proj", "q_proj", &[Target::Q]),
        LinearModule::one("self_attn.k_proj", "k_proj", &[Target::K]),
        LinearModule::one("self_attn.v_proj", "v_proj", &[Target::V]),
        LinearModule::one("self_attn.out_proj", "out_proj", &[Target::O]),
        LinearModule::one("fc1", "fc1", &[Target::Fc1]),
        LinearModule::one("fc2", "fc2", &[Target::Fc2]),
    ],
    fan_in_fan_out: false,
};
