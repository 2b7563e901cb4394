//! A row of a table.

/// A row with as many cells as there are columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it begins, from 1 on.
    pub line: usize,
    /// As they stand in the file.
    pub cells: Vec<String>,
}
