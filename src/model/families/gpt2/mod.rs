//! GPT-2 (Radford et al. 2019), as transformers has it: `GPT2LMHeadModel`.

mod config;
mod description;
mod gguf;
mod published;

pub(super) use description::FAMILY;
