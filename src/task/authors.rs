//! `authors`: which of seven books is this sentence from?
//!
//! The sentences are baked from published crates into `data/authors.json` (`cargo xtask bake`); this file reads it.

use super::{Baselines, Example};
use serde::{Deserialize, Serialize};

/// One label token per book.
pub const LABELS: [&str; 7] = ["A", "B", "C", "D", "E", "F", "G"];
/// Longer sentences keep their last tokens.
pub const MAX_SENTENCE_TOKENS: usize = 96;
/// Held-out sentences: 150 of each book.
pub const HELD_OUT: usize = 1050;
/// Training sentences: 600 of each book.
pub const TRAINING: usize = 4200;

/// The contents of `data/authors.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Authors {
    pub books: Vec<Book>,
    /// (book, sentence)
    pub training: Vec<(usize, String)>,
    pub held_out: Vec<(usize, String)>,
    pub baselines: Baselines,
}

/// A book and its label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Book {
    pub label: String,
    pub title: String,
    pub author: String,
}

/// A data file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorsError {
    #[error("authors.json is not readable: {0}")]
    Json(String),
    #[error("authors.json has {0}")]
    Contents(String),
}

impl Authors {
    /// Reads and checks `authors.json`.
    pub fn from_json(text: &str) -> Result<Authors, AuthorsError> {
        let data: Authors = serde_json::from_str(text).map_err(|e| AuthorsError::Json(e.to_string()))?;
        let contents = |what: String| Err(AuthorsError::Contents(what));
        if data.books.len() != LABELS.len() {
            return contents(format!("{} books, not {}", data.books.len(), LABELS.len()));
        }
        if data.training.is_empty() || data.held_out.is_empty() {
            return contents("no sentences".into());
        }
        match data.training.iter().chain(&data.held_out).find(|(book, _)| *book >= data.books.len()) {
            Some((book, _)) => contents(format!("a sentence of book {book}, which it does not name")),
            None => Ok(data),
        }
    }
}

/// Sentence, newline, label token.
pub fn example(sentence: &[u32], newline: u32, label: u32) -> Example {
    let mut tokens = sentence[sentence.len().saturating_sub(MAX_SENTENCE_TOKENS)..].to_vec();
    tokens.push(newline);
    tokens.push(label);
    Example { tokens, answer: 1 }
}
