//! What can be wrong with the files of a tokenizer.

/// Why the files of a tokenizer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenizerError {
    /// It is no JSON, or lacks a part: where, or which.
    #[error("{file} is not readable: {fault}")]
    Json {
        /// The file's name.
        file: &'static str,
        /// What is wrong.
        fault: String,
    },
    /// A setting under which the tokens would be others.
    #[error("{file}: {key} is {found}, this loader knows {expected}")]
    Unsupported {
        /// The file's name.
        file: &'static str,
        /// The key in the file, with dots between its parts.
        key: String,
        /// Its value there.
        found: String,
        /// The values that are read.
        expected: &'static str,
    },
    /// Tokens or merges do not fit together; a sentence that says which.
    #[error("{file}: {fault}")]
    Vocabulary {
        /// The file's name.
        file: &'static str,
        /// What is wrong.
        fault: String,
    },
}

impl TokenizerError {
    /// The same of another file.
    pub(super) fn of_file(mut self, name: &'static str) -> TokenizerError {
        match &mut self {
            TokenizerError::Json { file, .. }
            | TokenizerError::Unsupported { file, .. }
            | TokenizerError::Vocabulary { file, .. } => *file = name,
        }
        self
    }
}
