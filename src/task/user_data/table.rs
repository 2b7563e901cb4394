//! A table: its header, and which columns are likely the text and the label.

use super::limits::MAX_LABELS;
use std::cmp::Reverse;
use std::collections::HashSet;

/// Rows of named columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Names, from the header or `column 1` …
    pub columns: Vec<String>,
    /// In the order of the file.
    pub rows: Vec<Row>,
}

/// A row with as many cells as there are columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it begins, from 1 on.
    pub line: usize,
    /// As they stand in the file.
    pub cells: Vec<String>,
}

/// Names that a label column goes by.
const LABEL_NAMES: [&str; 5] = ["label", "class", "category", "sentiment", "target"];

impl Table {
    /// Takes the first record for the header if it reads like one; otherwise names the columns.
    pub fn with_header(mut records: Vec<Row>) -> Table {
        let columns = if is_header(&records) {
            records.remove(0).cells.iter().map(|cell| cell.trim().into()).collect()
        } else {
            let columns = records.first().map_or(0, |row| row.cells.len());
            (1..=columns).map(|i| format!("column {i}")).collect()
        };
        Table { columns, rows: records }
    }

    /// The likely columns of the text and the label.
    ///
    /// The label has the fewest distinct values from 2 to `MAX_LABELS`; of such columns one that is called
    /// so, then the last. The text is the longest of the others.
    pub fn guess(&self) -> Option<(usize, usize)> {
        let columns = 0..self.columns.len();
        let label = columns
            .clone()
            .filter_map(|column| Some((self.few_values(column)?, !self.is_called_label(column), Reverse(column))))
            .min()?;
        let Reverse(label) = label.2;
        let text =
            columns.filter(|column| *column != label).max_by_key(|column| (self.length(*column), Reverse(*column)))?;
        Some((text, label))
    }

    /// The cell without the blanks around it; empty where there is none.
    fn values(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().map(move |row| row.cells.get(column).map_or("", |cell| cell.trim()))
    }

    /// The number of distinct values if labels could be that many; empty cells do not count.
    fn few_values(&self, column: usize) -> Option<usize> {
        let mut seen = HashSet::new();
        for value in self.values(column).filter(|value| !value.is_empty()) {
            seen.insert(value);
            if seen.len() > MAX_LABELS {
                return None;
            }
        }
        (seen.len() >= 2).then_some(seen.len())
    }

    fn is_called_label(&self, column: usize) -> bool {
        LABEL_NAMES.contains(&self.columns[column].trim().to_lowercase().as_str())
    }

    fn length(&self, column: usize) -> usize {
        self.values(column).map(|value| value.chars().count()).sum()
    }
}

/// Whether the first record names columns: distinct names, no numbers, and none that is also a value of its
/// column.
fn is_header(records: &[Row]) -> bool {
    let Some((first, rest)) = records.split_first() else { return false };
    let mut seen = HashSet::new();
    first.cells.iter().map(|cell| cell.trim()).enumerate().all(|(column, name)| {
        let is_value = |row: &Row| row.cells.get(column).is_some_and(|cell| cell.trim() == name);
        !name.is_empty() && seen.insert(name) && name.parse::<f64>().is_err() && !rest.iter().any(is_value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(records: &[&[&str]]) -> Table {
        let row = |(cells, line): (&&[&str], _)| Row { line, cells: cells.iter().map(|c| c.to_string()).collect() };
        Table::with_header(records.iter().zip(1..).map(row).collect())
    }

    #[test]
    fn a_first_record_of_names_is_the_header() {
        let table = table(&[&["text ", "label"], &["one", "a"], &["two", "b"]]);
        assert_eq!(table.columns, ["text", "label"]);
        assert_eq!((table.rows.len(), table.rows[0].line), (2, 2));
    }

    #[test]
    fn a_first_record_of_values_is_no_header() {
        for first in [["zero", "a"], ["", "label"], ["same", "same"], ["text", "3.5"]] {
            let table = table(&[&first, &["one", "a"], &["two", "b"]]);
            assert_eq!(table.columns, ["column 1", "column 2"], "{first:?}");
            assert_eq!(table.rows.len(), 3);
        }
    }

    #[test]
    fn the_label_has_few_values_and_the_text_is_long() {
        let many: Vec<[String; 3]> = (0..30)
            .map(|i| [i.to_string(), format!("a sentence with number {i}"), ["good", "bad"][i % 2].to_string()])
            .collect();
        let rows: Vec<Row> = many.into_iter().zip(1..).map(|(cells, line)| Row { line, cells: cells.into() }).collect();
        assert_eq!(Table::with_header(rows).guess(), Some((1, 2)));
    }

    #[test]
    fn of_columns_with_as_few_values_the_name_counts_and_then_the_last() {
        let named =
            table(&[&["Class", "text", "n"], &["a", "long text", "x"], &["b", "long text", "y"], &["b", "", "y"]]);
        assert_eq!(named.guess(), Some((1, 0)));
        let unnamed =
            table(&[&["m", "text", "n"], &["a", "long text", "x"], &["b", "longer text", "y"], &["b", "", "y"]]);
        assert_eq!(unnamed.guess(), Some((1, 2)));
    }

    #[test]
    fn without_two_columns_or_few_values_there_is_no_guess() {
        assert_eq!(table(&[&["label"], &["a"], &["b"]]).guess(), None);
        assert_eq!(table(&[&["text", "label"], &["one", "a"], &["one", "a"]]).guess(), None);
        assert_eq!(table(&[&["text", "label"]]).guess(), None);
    }
}
