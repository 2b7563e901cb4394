//! Columns of JSON that hold lists or objects, where a cell can hold one value.

use super::names::{is_label, is_text};
use serde_json::{Map, Value};
use std::fmt;

/// What a row looks like.
pub const ROW: &str = r#"{"text": "Well done", "label": "good"}"#;

/// A column that is left out, since it holds lists or objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NestedColumn {
    /// Its key.
    pub key: String,
    /// Where the first list or object stands that is no single value, counted from 1.
    pub line: usize,
    /// What that is.
    pub holds: Holds,
}

/// What stands in a cell's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// `[]`
    EmptyList,
    /// More than one value.
    List(usize),
    /// A list of one list or object.
    NestedList,
    /// An object.
    Object,
    /// Messages with their speakers, as chats are kept.
    Chat,
}

impl Holds {
    /// What a list is that holds not just one value.
    pub fn of_list(values: &[Value]) -> Holds {
        let speaks = |message: &Map<String, Value>| {
            [("role", "content"), ("from", "value")]
                .iter()
                .any(|(who, what)| message.contains_key(*who) && message.contains_key(*what))
        };
        match values {
            [] => Holds::EmptyList,
            [Value::Object(first), ..] if speaks(first) => Holds::Chat,
            [_] => Holds::NestedList,
            more => Holds::List(more.len()),
        }
    }
}

impl NestedColumn {
    /// Whether it would be the column of texts.
    pub fn is_text(&self) -> bool {
        self.holds == Holds::Chat || is_text(&self.key)
    }

    /// Whether it would be the column of labels.
    pub fn is_label(&self) -> bool {
        is_label(&self.key)
    }
}

/// Of columns that are left out the one that is missed most: a label, then a text, then the first.
pub fn most_missed(nested: &[NestedColumn]) -> Option<&NestedColumn> {
    nested.iter().min_by_key(|column| (!column.is_label(), !column.is_text()))
}

impl fmt::Display for NestedColumn {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let NestedColumn { key, line, holds } = self;
        write!(f, "On line {line}, “{key}” is ")?;
        match holds {
            Holds::EmptyList => f.write_str("an empty list")?,
            Holds::List(n) => write!(f, "a list of {n} values")?,
            Holds::NestedList => f.write_str("a list of a list or an object")?,
            Holds::Object => f.write_str("an object")?,
            Holds::Chat => {
                return write!(
                    f,
                    "a conversation, and rows of a text and a label are read: make of each one such as {ROW}."
                );
            }
        }
        f.write_str(": a cell is text, a number, true, false, null, or a list of one of these, so take it apart or leave it out.")
    }
}
