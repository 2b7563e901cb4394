//! What can be wrong with a visitor's data.

use super::limits::{MAX_BYTES, MAX_CELLS, MAX_LABELS, MIN_CHARACTERS, MIN_ROWS};

/// Data that cannot be used: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserDataError {
    /// The file is past the limit.
    #[error("This is {} MB, and at most {} MB can be read: give a part of it.", megabytes(*bytes), MAX_BYTES >> 20)]
    TooLarge {
        /// The file's length.
        bytes: usize,
    },
    /// There is no text, or a table without rows or keys.
    #[error("There is nothing in it: give text, or a table with at least {MIN_ROWS} rows.")]
    Empty,
    /// The file holds a NUL byte.
    #[error("This looks like a binary file (line {line} has a NUL byte): give plain text, CSV, TSV or JSON lines.")]
    Binary {
        /// Counted from 1.
        line: usize,
    },
    /// The bytes are not UTF-8, nor UTF-16 with a byte order mark.
    #[error("Line {line} is not in UTF-8: open the file in an editor and save it as UTF-8.")]
    Encoding {
        /// Counted from 1.
        line: usize,
    },
    /// Rows times columns are past the limit.
    #[error("Line {line} makes more than {MAX_CELLS} cells: give fewer rows or columns.")]
    TooManyCells {
        /// Counted from 1.
        line: usize,
    },
    /// A row has more or fewer cells than the first.
    #[error("Line {line} has {} where the first line has {columns}: {}", count(*cells, "cell"), hint(*cells, *columns, separator))]
    Ragged {
        /// Counted from 1.
        line: usize,
        /// Cells of the row.
        cells: usize,
        /// Cells of the first row.
        columns: usize,
        /// What stands between cells, in words (`comma`).
        separator: &'static str,
    },
    /// A quoted cell runs to the end of the file.
    #[error(
        "The row that begins on line {line} has a quote that is never closed: close it, or write quotes inside a cell twice."
    )]
    UnclosedQuote {
        /// Where the row begins, counted from 1.
        line: usize,
    },
    /// What should be JSON is not, or a row is no object.
    #[error(
        "Line {line}, column {column}: {message}. A row must be an object such as {{\"text\": \"Well done\", \"label\": \"good\"}}{}.",
        if *one_a_line { ", all on one line" } else { "" }
    )]
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What the parser says.
        message: String,
        /// Whether the file holds JSON lines; else it is one array.
        one_a_line: bool,
    },
    /// A value is itself a list or an object.
    #[error(
        "On line {line}, “{key}” is a list or an object: a cell must be text, a number, true, false or null, so take it apart or leave it out."
    )]
    Nested {
        /// Counted from 1.
        line: usize,
        /// Of the value.
        key: String,
    },
    /// An object has two values of one key.
    #[error("On line {line}, the key “{key}” stands there twice: leave one of them out.")]
    RepeatedKey {
        /// Counted from 1.
        line: usize,
        /// The key of both.
        key: String,
    },
    /// The chosen column is past the last.
    #[error("There is no column {column}: the table has {}.", count(*columns, "column"))]
    NoColumn {
        /// The choice, counted from 1.
        column: usize,
        /// Columns of the table.
        columns: usize,
    },
    /// One column was chosen for text and label.
    #[error("“{column}” cannot be both the text and the label: choose another column for one of them.")]
    SameColumn {
        /// Its heading.
        column: String,
    },
    /// Too little is left once rows without text or label, and repeated texts, are taken out.
    #[error(
        "{usable} of {} can be used, and {MIN_ROWS} are needed: add rows that have both a text and a label, each text once.",
        count(*rows, "row")
    )]
    TooFewRows {
        /// Rows left.
        usable: usize,
        /// Rows of the table.
        rows: usize,
    },
    /// There is nothing to tell apart.
    #[error("Every row has the label “{label}”: choose another column for the label, or add rows with other labels.")]
    OneLabel {
        /// The only value of the label's column.
        label: String,
    },
    /// The label's column has more values than labels can be learnt.
    #[error(
        "The column “{column}” has {labels} different values, and at most {MAX_LABELS} labels can be learnt: {}",
        other(suggestion)
    )]
    TooManyLabels {
        /// The column's heading.
        column: String,
        /// Its different values.
        labels: usize,
        /// The heading of a column that looks more like labels.
        suggestion: Option<String>,
    },
    /// Each value of the label's column stands there once.
    #[error(
        "No two rows have the same value in “{column}”, so none can be held out to test on: choose another column for the label, or add rows."
    )]
    OnlySingles {
        /// The column's heading.
        column: String,
    },
    /// A text to write like is too short to be cut into training and held-out parts.
    #[error("The text has {}, and {MIN_CHARACTERS} are needed: add more.", count(*characters, "character"))]
    TooShort {
        /// Its length.
        characters: usize,
    },
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
