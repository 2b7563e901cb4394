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
    script: Ok(()),
    read_config: read,
    #[cfg(feature = "train")]
    write_config: write,
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
    final_norm: "final_layer_norm",
    modules: &[
        LinearModule { path: "self_attn.q_proj", peft: "q_proj", holds: &[Target::Q] },
        LinearModule { path: "self_attn.k_proj", peft: "k_proj", holds: &[Target::K] },
        LinearModule { path: "self_attn.v_proj", peft: "v_proj", holds: &[Target::V] },
        LinearModule { path: "self_attn.out_proj", peft: "out_proj", holds: &[Target::O] },
        LinearModule { path: "fc1", peft: "fc1", holds: &[Target::Fc1] },
        LinearModule { path: "fc2", peft: "fc2", holds: &[Target::Fc2] },
    ],
    fan_in_fan_out: false,
};
