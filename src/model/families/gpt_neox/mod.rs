//! GPT-NeoX (Black et al. 2022), as transformers has it: `GPTNeoXForCausalLM`. Pythia's models are of this family.

mod config;
mod description;
mod gguf;
mod published;

pub(super) use description::FAMILY;
