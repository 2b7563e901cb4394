//! Finds out what a file is, and reads it.

use super::error::UserDataError;
use super::limits::MAX_BYTES;
use super::table::Table;
use super::{decode, json, separated};

/// What a file turned out to be, before columns are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The whole text, its lines ended by `\n`.
    Text(String),
    /// Rows of named columns, in which a text and a label are to be chosen.
    Table(Table),
}

enum Kind {
    Text,
    Separated(u8),
    JsonLines,
    JsonArray,
}

/// Reads a file by its name's ending; pasted data (an empty name) and unknown endings by what they look like.
pub fn read(name: &str, bytes: &[u8]) -> Result<Dropped, UserDataError> {
    if bytes.len() > MAX_BYTES {
        return Err(UserDataError::TooLarge { bytes: bytes.len() });
    }
    let text = decode::decode(bytes)?;
    match kind(name, &text) {
        Kind::Separated(separator) => separated::read(&text, separator).map(Dropped::Table),
        Kind::JsonLines => json::lines(&decode::with_newlines(text)).map(Dropped::Table),
        Kind::JsonArray => json::array(&decode::with_newlines(text)).map(Dropped::Table),
        Kind::Text if text.trim().is_empty() => Err(UserDataError::Empty),
        Kind::Text => Ok(Dropped::Text(decode::with_newlines(text))),
    }
}

fn kind(name: &str, text: &str) -> Kind {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("txt" | "md") => Kind::Text,
        Some("csv") if separated::has_semicolons(text) => Kind::Separated(b';'),
        Some("csv") => Kind::Separated(b','),
        Some("tsv") => Kind::Separated(b'\t'),
        Some("jsonl" | "ndjson" | "json") if text.trim_start().starts_with('[') => Kind::JsonArray,
        Some("jsonl" | "ndjson" | "json") => Kind::JsonLines,
        _ => look(text),
    }
}

fn look(text: &str) -> Kind {
    if json::looks_like_lines(text) {
        Kind::JsonLines
    } else if json::looks_like_array(text) {
        Kind::JsonArray
    } else if separated::looks_like(text, b'\t') {
        Kind::Separated(b'\t')
    } else if separated::looks_like(text, b',') {
        Kind::Separated(b',')
    } else if separated::has_semicolons(text) && separated::looks_like(text, b';') {
        Kind::Separated(b';')
    } else {
        Kind::Text
    }
}
