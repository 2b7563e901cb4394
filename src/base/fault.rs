//! A setting that cannot be used, and how it is told.

/// A setting that cannot be used: which one, and a sentence a student understands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The setting's name in the URL (`rank`).
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Fault {
    /// A fault of the setting `key`.
    pub fn new(key: &str, message: impl Into<String>) -> Fault {
        Fault { key: key.to_string(), message: message.into() }
    }
}

/// Hostile input is quoted back, but not at length.
pub fn shorten(text: &str) -> String {
    match text.chars().count() > 40 {
        true => text.chars().take(40).chain(['…']).collect(),
        false => text.to_string(),
    }
}
