//! What leaves and enters the lab: runs, φ, and adapters of Hugging Face PEFT.

pub mod adapter_base;
mod base64;
pub mod brought;
#[cfg(feature = "train")]
pub mod hf_adapter;
#[cfg(feature = "train")]
pub mod phi_file;
pub mod python;
pub mod run_file;
#[cfg(feature = "train")]
pub mod training_state;

pub use base64::{base64, from_base64};
pub use run_file::{Made, RunFile, RunFileError};
