//! What can be wrong with a visitor's data.

use super::limits::{MAX_BYTES, MAX_CELLS, MAX_LABELS, MIN_ROWS};
use super::nested::{NestedColumn, ROW};
use super::separator::Separator;
use crate::base::grouped;

/// Data that cannot be used: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserDataError {
    /// The file is past the limit.
    #[error("This is {} MB, and at most {} MB can be read: give a part of it.", megabytes(*bytes), MAX_BYTES >> 20)]
    TooLarge {
        /// The file's length.
        bytes: usize,
    },
    /// A pointer of Git LFS or a web page stands in the file's place; the sentence names the file.
    #[error("{0}.")]
    StandIn(String),
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
    #[error("Line {line} has {} where {} has {columns}: {}", count(*cells, "cell"), first_line(*first), hint(*cells, *columns, *separator))]
    Ragged {
        /// Counted from 1.
        line: usize,
        /// Cells of the row.
        cells: usize,
        /// Cells of the first row.
        columns: usize,
        /// Where the first row begins, counted from 1.
        first: usize,
        /// What stands between cells.
        separator: Separator,
    },
    /// A quoted cell goes on behind its closing quote.
    #[error(
        "The quote that opens on line {line} closes {}within a cell, not before a {separator} or a line's end: close it there, or write quotes inside a cell twice.",
        if closes == line { String::new() } else { format!("on line {closes} ") }
    )]
    QuoteWithin {
        /// Where it opens, counted from 1.
        line: usize,
        /// Where the next quote stands.
        closes: usize,
        /// What stands between cells.
        separator: Separator,
    },
    /// A quoted cell runs to the end of the file.
    #[error("The quote that opens on line {line} is never closed: close it, or write quotes inside a cell twice.")]
    UnclosedQuote {
        /// Where it opens, counted from 1.
        line: usize,
    },
    /// What should be JSON is not, or a row is no object.
    #[error(
        "Line {line}, column {column}: {message}. A row must be an object such as {ROW}{}.",
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
    /// A row that is a list has more or fewer values than there are columns.
    #[error(
        "The row on line {line} has {}, and {} {columns}: give every row as many.",
        count(*cells, "value"),
        if *named { "the columns are" } else { "the first has" }
    )]
    RowLength {
        /// Where the row begins, counted from 1.
        line: usize,
        /// Values of the row.
        cells: usize,
        /// Columns, or values of the first row.
        columns: usize,
        /// Whether the columns are named.
        named: bool,
    },
    /// Columns that are lists differ in length.
    #[error("On line {line}, “{key}” has {}, and “{other}” has {n}: give every column as many.", count(*values, "value"))]
    ListLength {
        /// Where the column's list begins, counted from 1.
        line: usize,
        /// Its key.
        key: String,
        /// Its values.
        values: usize,
        /// The first column's key.
        other: String,
        /// Values of the first column.
        n: usize,
    },
    /// An object holds more than one list of rows.
    #[error("“{one}” and “{other}” both hold rows: give one of them as a file of its own.")]
    SeveralTables {
        /// The first's key.
        one: String,
        /// The second's key.
        other: String,
    },
    /// What is asked for stands in lists or objects.
    #[error("{0}")]
    Nested(NestedColumn),
    /// A list in which rows should be is empty.
    #[error("On line {line}, “{key}” is an empty list: give at least {MIN_ROWS} rows in it.")]
    NoRows {
        /// Counted from 1.
        line: usize,
        /// Of the list.
        key: String,
    },
    /// A list holds values, not rows.
    #[error(
        "{} has {} and no labels: give each a label, as in {ROW}, or give the texts as a .txt file to write like.",
        the_list(*line, key),
        if *texts { "texts" } else { "values" }
    )]
    Values {
        /// Where the list, or its first value, stands, counted from 1.
        line: usize,
        /// Of the list; `None` where the list is the whole file.
        key: Option<String>,
        /// Whether its first value is a text.
        texts: bool,
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
    #[error("{}", no_column(*column, *columns))]
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
    /// A row of chats is not what one is.
    #[error("Line {line}: {problem}. A row of a chat holds “messages”, each with a “role” and a “content”.")]
    Chat {
        /// Counted from 1; of a list the row.
        line: usize,
        /// A phrase.
        problem: &'static str,
    },
    /// Each value of the label's column stands there once.
    #[error(
        "No two rows have the same value in “{column}”, so none can be held out to test on: choose another column for the label, or add rows."
    )]
    OnlySingles {
        /// The column's heading.
        column: String,
    },
    /// A text to write like is too short: a part of it fills too few windows.
    #[error(
        "The text has {} as the base reads it, and about {} are needed, since its last tenth is held out: add more.",
        count(*tokens, "token"),
        grouped(*needed)
    )]
    TooShort {
        /// Tokens of the base that it has.
        tokens: usize,
        /// Tokens with which a tenth would fill a window.
        needed: usize,
    },
}

impl UserDataError {
    /// The sentence with the file's name in front, but for one that begins with it, and what was pasted.
    pub fn about(&self, file: &str) -> String {
        match self {
            UserDataError::StandIn(_) => self.to_string(),
            _ if file.is_empty() => self.to_string(),
            _ => format!("{file}: {self}"),
        }
    }
}

fn the_list(line: usize, key: &Option<String>) -> String {
    match key {
        Some(key) => format!("On line {line}, “{key}”"),
        None => format!("The list on line {line}"),
    }
}

/// Rounded up: what is too large must not read “10.0”.
fn megabytes(bytes: usize) -> String {
    let tenths = (bytes as u64 * 10).div_ceil(1 << 20);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn no_column(column: usize, columns: usize) -> String {
    match columns {
        1 => "The table has one column, and texts with labels need two. A text to write like has a name that ends in .txt.".into(),
        _ => format!("There is no column {column}: the table has {}.", count(columns, "column")),
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

fn first_line(line: usize) -> String {
    if line == 1 { "the first line".into() } else { format!("line {line}") }
}

fn hint(cells: usize, columns: usize, separator: Separator) -> String {
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
