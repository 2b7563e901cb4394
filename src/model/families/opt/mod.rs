//! OPT (Zhang et al. 2022), as transformers has it: `OPTForCausalLM`. The project's own bases are of this
//! family.

mod config;
mod description;
mod published;

pub(super) use config::config;
pub(super) use description::FAMILY;
