//! What can be wrong with a visitor's data.

use super::limits::{MAX_BYTES, MAX_CELLS, MAX_LABELS, MIN_CHARACTERS, MIN_ROWS};

/// Data that cannot be used: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserDataError {
    #[error("This is {} MB, and at most {} MB can be read: give a part of it.", megabytes(*bytes), MAX_BYTES >> 20)]
    TooLarge { bytes: usize },
    #[error("There is nothing in it: give text, or a table with at least {MIN_ROWS} rows.")]
    Empty,
    #[error("This looks like a binary file (line {line} has a NUL byte): give plain text, CSV, TSV or JSON lines.")]
    Binary { line: usize },
    #[error("Line {line} is not in UTF-8: open the file in an editor and save it as UTF-8.")]
    Encoding { line: usize },
    #[error("Line {line} makes more than {MAX_CELLS} cells: give fewer rows or columns.")]
    TooManyCells { line: usize },
    #[error("Line {line} has {} where the first line has {columns}: {}", count(*cells, "cell"), hint(*cells, *columns, separator))]
    Ragged { line: usize, cells: usize, columns: usize, separator: &'static str },
    #[error(
        "The row that begins on line {line} has a quote that is never closed: close it, or write quotes inside a cell twice."
    )]
    UnclosedQuote { line: usize },
    #[error(
        "Line {line}, column {column}: {message}. A row must be an object such as {{\"text\": \"Well done\", \"label\": \"good\"}}{}.",
        if *one_a_line { ", all on one line" } else { "" }
    )]
    Json { line: usize, column: usize, message: String, one_a_line: bool },
    #[error(
        "On line {line}, “{key}” is a list or an object: a cell must be text, a number, true, false or null, so take it apart or leave it out."
    )]
    Nested { line: usize, key: String },
    #[error("On line {line}, the key “{key}” stands there twice: leave one of them out.")]
    RepeatedKey { line: usize, key: String },
    #[error("There is no column {column}: the table has {}.", count(*columns, "column"))]
    NoColumn { column: usize, columns: usize },
    #[error("“{column}” cannot be both the text and the label: choose another column for one of them.")]
    SameColumn { column: String },
    #[error(
        "{usable} of {} can be used, and {MIN_ROWS} are needed: add rows that have both a text and a label, each text once.",
        count(*rows, "row")
    )]
    TooFewRows { usable: usize, rows: usize },
    #[error("Every row has the label “{label}”: choose another column for the label, or add rows with other labels.")]
    OneLabel { label: String },
    #[error(
        "The column “{column}” has {labels} different values, and at most {MAX_LABELS} labels can be learnt: {}",
        other(suggestion)
    )]
    TooManyLabels { column: String, labels: usize, suggestion: Option<String> },
    #[error(
        "No two rows have the same value in “{column}”, so none can be held out to test on: choose another column for the label, or add rows."
    )]
    OnlySingles { column: String },
    #[error("The text has {}, and {MIN_CHARACTERS} are needed: add more.", count(*characters, "character"))]
    TooShort { characters: usize },
}

/// Rounded up: what is too large must not read “10.0”.
fn megabytes(bytes: usize) -> String {
    let tenths = (bytes as u64 * 10).div_ceil(1 << 20);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn hint(cells: usize, columns: usize, separator: &str) -> String {
    if cells > columns {
        format!("is there a {separator} outside quotes?")
    } else {
        format!("is a {separator} missing, or a quote not closed?")
    }
}

fn other(suggestion: &Option<String>) -> String {
    match suggestion {
        Some(column) => format!("is “{column}” the label?"),
        None => "choose a column with fewer.".into(),
    }
}
