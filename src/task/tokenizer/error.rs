//! What can be wrong with a `tokenizer.json`.

/// Why a `tokenizer.json` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenizerError {
    #[error("tokenizer.json is not readable: {0}")]
    Json(String),
    #[error("tokenizer.json: {key} is {found}, this loader knows {expected}")]
    Unsupported { key: String, found: String, expected: &'static str },
    #[error("tokenizer.json: {0}")]
    Vocabulary(String),
}
