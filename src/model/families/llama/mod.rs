//! Llama (Touvron et al. 2023) and the models that share its modules, as transformers has them: SmolLM2,
//! TinyLlama and Llama 3 are `llama`; `mistral`; `qwen2`, with biases on W_Q, W_K and W_V; `qwen3`, with norms on
//! queries and keys.

mod config;
mod description;
mod gguf;
mod published;

pub(super) use description::{LLAMA, MISTRAL, QWEN2, QWEN3};
