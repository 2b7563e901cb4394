//! What these models call their parts.

#[cfg(feature = "train")]
use super::config::write;
use super::config::{CLASSES, read_llama, read_mistral, read_qwen2, read_qwen3};
use super::gguf;
use super::published::{OF_LLAMA, OF_MISTRAL, OF_QWEN2, OF_QWEN3};
use crate::model::{Family, LinearModule, Target};

/// Llama as Hugging Face has it.
pub static LLAMA: Family = Family {
    model_type: CLASSES[0].0,
    title: "Llama",
    python_class: CLASSES[0].1,
    read_config: read_llama,
    #[cfg(feature = "train")]
    write_config: write,
    gguf: Some(gguf::LLAMA),
    published: &OF_LLAMA,
    decoder: "model",
    headless_decoder: "",
    head: "lm_head",
    tokens: "embed_tokens",
    positions: "",
    blocks: "layers",
    attention_norm: "input_layernorm",
    mlp_norm: "post_attention_layernorm",
    head_norms: None,
    final_norm: "norm",
    modules: &[
        LinearModule::one("self_attn.q_proj", "q_proj", &[Target::Q]),
        LinearModule::one("self_attn.k_proj", "k_proj", &[Target::K]),
        LinearModule::one("self_attn.v_proj", "v_proj", &[Target::V]),
        LinearModule::one("self_attn.o_proj", "o_proj", &[Target::O]),
        LinearModule::one("mlp.up_proj", "up_proj", &[Target::Fc1]),
        LinearModule::one("mlp.down_proj", "down_proj", &[Target::Fc2]),
        LinearModule::one("mlp.gate_proj", "gate_proj", &[Target::Gate]),
    ],
    fan_in_fan_out: false,
};

/// Mistral: Llama's modules, in a class of its own.
pub static MISTRAL: Family = Family {
    model_type: CLASSES[1].0,
    title: "Mistral",
    python_class: CLASSES[1].1,
    read_config: read_mistral,
    published: &OF_MISTRAL,
    gguf: None,
    ..LLAMA
};

/// Qwen2 and Qwen2.5: Llama's modules, with biases on W_Q, W_K and W_V.
pub static QWEN2: Family = Family {
    model_type: CLASSES[2].0,
    title: "Qwen2",
    python_class: CLASSES[2].1,
    read_config: read_qwen2,
    published: &OF_QWEN2,
    gguf: Some(gguf::QWEN2),
    ..LLAMA
};

/// Qwen3: Llama's modules, with an RMSNorm on every head of queries and keys.
pub static QWEN3: Family = Family {
    model_type: CLASSES[3].0,
    title: "Qwen3",
    python_class: CLASSES[3].1,
    read_config: read_qwen3,
    published: &OF_QWEN3,
    gguf: Some(gguf::QWEN3),
    head_norms: Some(["self_attn.q_norm", "self_attn.k_norm"]),
    ..LLAMA
};
