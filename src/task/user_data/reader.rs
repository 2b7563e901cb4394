//! Finds out what a file is, and reads it.

use super::chats::Chats;
use super::error::UserDataError;
use super::json::Layout;
use super::limits::MAX_BYTES;
use super::separator::Separator;
use super::table::Table;
use super::{decode, json, separated};
use crate::model::files::stand_in;

/// What a file turned out to be, before columns are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The whole text, its lines ended by `\n`.
    Text(String),
    /// Rows of named columns, in which a text and a label are to be chosen.
    Table(Table),
    /// Rows of messages.
    Chats(Chats),
}

/// What a visitor knows of a file; what is `None` is found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Whether it is a table, else a text.
    pub table: Option<bool>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
}

enum Kind {
    Text,
    Separated(Separator),
    Json(Layout),
}

/// Reads a file by its name's ending; pasted data (an empty name) and unknown endings by what they look like.
pub fn read(name: &str, bytes: &[u8]) -> Result<Dropped, UserDataError> {
    read_as(name, bytes, Wish::default())
}

/// Reads a file as a visitor wishes.
pub fn read_as(name: &str, bytes: &[u8], wish: Wish) -> Result<Dropped, UserDataError> {
    if bytes.len() > MAX_BYTES {
        return Err(UserDataError::TooLarge { bytes: bytes.len() });
    }
    check_stand_in(name, bytes)?;
    let text = decode::decode(bytes)?;
    check_stand_in(name, text.as_bytes())?;
    if text.trim().is_empty() {
        return Err(UserDataError::Empty);
    }
    match kind(name, &text, wish.table) {
        Kind::Text => Ok(Dropped::Text(decode::with_newlines(text))),
        Kind::Separated(usual) => separated::read(&text, usual, wish.header).map(Dropped::Table),
        Kind::Json(layout) => {
            let text = decode::with_newlines(text);
            if wish.table != Some(true) && Chats::look_like(&text) {
                return Chats::read(&text).map(Dropped::Chats);
            }
            let table = match layout {
                Layout::Lines => json::lines(&text),
                Layout::Array => json::array(&text, wish.header),
                Layout::Object => json::object(&text, wish.header),
            };
            table.map(Dropped::Table)
        }
    }
}

/// Refuses what stands in a file's place under a name that promises data.
fn check_stand_in(name: &str, bytes: &[u8]) -> Result<(), UserDataError> {
    const PROMISE: [&str; 8] = ["csv", "tsv", "tab", "json", "jsonl", "ndjson", "txt", "md"];
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let promises = ending(name).is_some_and(|ending| PROMISE.contains(&ending.as_str()));
    match stand_in(name, bytes).filter(|_| promises) {
        Some(told) => Err(UserDataError::StandIn(told)),
        None => Ok(()),
    }
}

fn ending(name: &str) -> Option<String> {
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())
}

fn kind(name: &str, text: &str, table: Option<bool>) -> Kind {
    match (table, ending(name).as_deref()) {
        (Some(false), _) => Kind::Text,
        (_, Some("csv")) => Kind::Separated(Separator::COMMA),
        (_, Some("tsv" | "tab")) => Kind::Separated(Separator::TAB),
        (_, Some("json")) => Kind::Json(json::layout(text, false)),
        (_, Some("jsonl" | "ndjson")) => Kind::Json(json::layout(text, true)),
        (Some(true), _) => json::looks_like(text).map_or(Kind::Separated(Separator::COMMA), Kind::Json),
        (None, _) if separated::is_of_r(text) => Kind::Separated(Separator::BLANK),
        // Excel's “Unicode text” has this ending and tabs.
        (None, Some("txt")) if separated::is_tabbed(text) => Kind::Separated(Separator::TAB),
        (None, Some("txt" | "md")) => Kind::Text,
        (None, _) => match json::looks_like(text) {
            Some(layout) => Kind::Json(layout),
            // Tabs are rarer in a text than commas.
            None if separated::looks_like(text) => Kind::Separated(Separator::TAB),
            None => Kind::Text,
        },
    }
}
