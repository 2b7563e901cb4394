//! Bytes as text, for lines of JSON in files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes as text.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes from text.
///
/// # Errors
/// A sentence's end where it is none: “not base64: …”.
pub fn from_base64(text: &str) -> Result<Vec<u8>, String> {
    STANDARD.decode(text).map_err(|e| format!("not base64: {e}"))
}
