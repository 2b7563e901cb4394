//! θ: a pretrained OPT model, loaded once, shared by every run, never written.

mod bases;
mod config;

pub use bases::{BASES, Base};
pub use config::{Activation, ModelConfig, ModelConfigError};
