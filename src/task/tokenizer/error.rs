//! What can be wrong with a `tokenizer.json`.

/// Why a `tokenizer.json` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenizerError {
    /// It is no JSON, or lacks a part; what the parser says.
    #[error("tokenizer.json is not readable: {0}")]
    Json(String),
    /// A setting under which the tokens would be others.
    #[error("tokenizer.json: {key} is {found}, this loader knows {expected}")]
    Unsupported {
        /// The key in the file, with dots between its parts.
        key: String,
        /// Its value there.
        found: String,
        /// The values that are read.
        expected: &'static str,
    },
    /// Tokens or merges do not fit together; a sentence that says which.
    #[error("tokenizer.json: {0}")]
    Vocabulary(String),
}
