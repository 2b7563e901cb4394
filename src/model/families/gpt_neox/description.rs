//! What GPT-NeoX calls its parts.

#[cfg(feature = "train")]
use super::config::write;
use super::config::{MODEL_TYPE, read};
use super::gguf;
use super::published::PUBLISHED;
use crate::model::{Family, Joined, LinearModule, Target};

/// GPT-NeoX as Hugging Face has it.
pub static FAMILY: Family = Family {
    model_type: MODEL_TYPE,
    title: "GPT-NeoX",
    python_class: "GPTNeoXForCausalLM",
    read_config: read,
    #[cfg(feature = "train")]
    write_config: write,
    gguf: Some(gguf::FORM),
    published: &PUBLISHED,
    decoder: "gpt_neox",
    headless_decoder: "",
    head: "embed_out",
    tokens: "embed_in",
    positions: "",
    blocks: "layers",
    attention_norm: "input_layernorm",
    mlp_norm: "post_attention_layernorm",
    head_norms: None,
    final_norm: "final_layer_norm",
    modules: &[
        LinearModule {
            path: "attention.query_key_value",
            peft: "query_key_value",
            holds: &[Target::Q, Target::K, Target::V],
            joined: Joined::ByHead,
        },
        LinearModule::one("attention.dense", "dense", &[Target::O]),
        LinearModule::one("mlp.dense_h_to_4h", "dense_h_to_4h", &[Target::Fc1]),
        LinearModule::one("mlp.dense_4h_to_h", "dense_4h_to_h", &[Target::Fc2]),
    ],
    fan_in_fan_out: false,
};
