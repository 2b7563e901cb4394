//! What leaves and enters the lab: runs, φ, and adapters of Hugging Face PEFT.

#[cfg(feature = "train")]
pub mod hf_adapter;
#[cfg(feature = "train")]
pub mod phi_file;
pub mod python;
pub mod run_file;

pub use run_file::{Made, RunFile, RunFileError};

/// Bytes as text, for JSON.
pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Bytes from text; the sentence where it is none.
pub fn from_base64(text: &str) -> Result<Vec<u8>, String> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).map_err(|e| format!("not base64: {e}"))
}
