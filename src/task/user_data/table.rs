//! A table: its header, and which columns are likely the text and the label.

use super::below;
use super::error::UserDataError;
use super::header::{is_same, names};
use super::limits::MAX_LABELS;
use super::names::{Likely, answered, is_text, likely};
use super::nested::most_missed;
use super::notes::Notes;
use super::row::Row;
use std::cmp::Reverse;
use std::collections::HashSet;

/// Rows of named columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Names, from the header or `column 1` …; none is there twice.
    pub columns: Vec<String>,
    /// In the order of the file.
    pub rows: Vec<Row>,
    /// How it was read, and what is left out.
    pub notes: Notes,
}

impl Table {
    /// Takes the first record for the header if it reads like one, or as `header` says; otherwise numbers the
    /// columns. Leaves out the header where it comes again, rows below that belong to it, and columns that are
    /// empty throughout.
    ///
    /// # Errors
    /// Where no cell holds anything.
    pub fn with_header(mut records: Vec<Row>, header: Option<bool>, mut notes: Notes) -> Result<Table, UserDataError> {
        let width = records.first().map_or(0, |row| row.cells.len());
        let found = below::find(&records);
        let named = !records.is_empty() && header.unwrap_or_else(|| below::is_header_of(&records, &found));
        let mut columns = vec![String::new(); width];
        if named {
            let first = records.drain(..=found.rows.len()).next().map_or_else(Vec::new, |row| row.cells);
            let cells: Vec<&str> = first.iter().map(|cell| cell.trim()).collect();
            let before = records.len();
            records.retain(|row| !is_same(row, &cells));
            notes.repeated_headers = before - records.len();
            columns = found.names.unwrap_or_else(|| cells.into_iter().map(String::from).collect());
            notes.below = found.rows;
        }
        let used: Vec<bool> = (0..width)
            .map(|i| !columns[i].is_empty() || records.iter().any(|row| !row.cells[i].trim().is_empty()))
            .collect();
        notes.header = Some(named);
        notes.empty_columns = used.iter().filter(|used| !**used).count();
        let mut columns = names(columns.iter().map(String::as_str));
        if notes.empty_columns == width {
            return Err(UserDataError::Empty);
        }
        if notes.empty_columns > 0 {
            let used = || used.iter().copied();
            columns = columns.into_iter().zip(used()).filter_map(|(name, used)| used.then_some(name)).collect();
            for row in &mut records {
                let cells = std::mem::take(&mut row.cells);
                row.cells = cells.into_iter().zip(used()).filter_map(|(cell, used)| used.then_some(cell)).collect();
            }
        }
        Ok(Table { columns, rows: records, notes })
    }

    /// The likely columns of the text and the label.
    ///
    /// The label has 2 to `MAX_LABELS` distinct values. Of such columns one that is called so comes first, and
    /// one that tells of a row's origin last; then the fewest values count, then the last place. The text is
    /// the longest of the others.
    pub fn guess(&self) -> Option<(usize, usize)> {
        let columns = 0..self.columns.len();
        let label = columns.clone().filter_map(|column| Some((self.likely(column)?, Reverse(column)))).min()?;
        let Reverse(label) = label.1;
        let text =
            columns.filter(|column| *column != label).max_by_key(|column| (self.length(*column), Reverse(*column)))?;
        Some((text, label))
    }

    /// The columns of prompts and of answers that are written freely, where they are called so and the answers are too many
    /// to be labels.
    pub fn guess_answers(&self) -> Option<(usize, usize)> {
        answered(&self.columns).filter(|(_, answer)| self.few_values(*answer).is_none())
    }

    /// The table, unless lists or objects hold what it lacks: a label, or a text.
    ///
    /// # Errors
    /// The column that is missed most.
    pub fn without_nested(self) -> Result<Table, UserDataError> {
        let lacks = match (most_missed(&self.notes.nested), self.guess()) {
            (Some(column), None) if column.is_label() || column.is_text() => Some(column),
            (Some(column), Some((text, label))) => {
                // A guess that is none: it tells of the row's origin, or none of its values comes again.
                let filled = self.values(label).filter(|value| !value.is_empty()).count();
                let is_none =
                    self.likely(label).is_some_and(|(likely, values)| likely == Likely::Aside || values == filled);
                let is_aside = column.is_label() && is_none;
                let reads = |i: usize| i != label && (is_text(&self.columns[i]) || self.are_sentences(i));
                let mut nested = self.notes.nested.iter();
                let text = nested
                    .find(|column| column.is_text())
                    .filter(|_| !reads(text) && !(0..self.columns.len()).any(reads));
                if is_aside { Some(column) } else { text }
            }
            _ => None,
        };
        match lacks.cloned() {
            Some(column) => Err(UserDataError::Nested(column)),
            None => Ok(self),
        }
    }

    /// Whether most of a column's values have more than one word.
    fn are_sentences(&self, column: usize) -> bool {
        let (mut filled, mut sentences) = (0, 0);
        for value in self.values(column).filter(|value| !value.is_empty()) {
            filled += 1;
            sentences += usize::from(value.contains(char::is_whitespace));
        }
        2 * sentences > filled
    }

    /// How likely a column is the label: by its name, then by its number of values.
    fn likely(&self, column: usize) -> Option<(Likely, usize)> {
        let values = self.few_values(column)?;
        Some((likely(&self.columns[column], values.iter().copied()), values.len()))
    }

    /// The cell without the blanks around it; empty where there is none.
    fn values(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().map(move |row| row.cells.get(column).map_or("", |cell| cell.trim()))
    }

    /// The distinct values if labels could be that many; empty cells do not count.
    fn few_values(&self, column: usize) -> Option<HashSet<&str>> {
        let mut seen = HashSet::new();
        for value in self.values(column).filter(|value| !value.is_empty()) {
            seen.insert(value);
            if seen.len() > MAX_LABELS {
                return None;
            }
        }
        (seen.len() >= 2).then_some(seen)
    }

    fn length(&self, column: usize) -> usize {
        self.values(column).map(|value| value.chars().count()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(records: &[&[&str]]) -> Table {
        let row = |(cells, line): (&&[&str], _)| Row { line, cells: cells.iter().map(|c| c.to_string()).collect() };
        Table::with_header(records.iter().zip(1..).map(row).collect(), None, Notes::default()).unwrap()
    }

    #[test]
    fn a_first_record_of_names_is_the_header() {
        let table = table(&[&["text ", "label"], &["one", "a"], &["two", "b"]]);
        assert_eq!(table.columns, ["text", "label"]);
        assert_eq!((table.rows.len(), table.rows[0].line), (2, 2));
    }

    #[test]
    fn a_first_record_of_values_is_no_header() {
        for first in [["zero", "a"], ["", "remark"], ["same", "same"], ["remark", "3.5"]] {
            let table = table(&[&first, &["one", "a"], &["two", "b"]]);
            assert_eq!(table.columns, ["column 1", "column 2"], "{first:?}");
            assert_eq!((table.rows.len(), table.notes.header), (3, Some(false)));
        }
    }

    #[test]
    fn a_visitor_may_know_better_where_the_header_is() {
        let rows = || {
            let row = |(cells, line): ([&str; 2], _)| Row { line, cells: cells.map(String::from).into() };
            [["zero", "a"], ["one", "b"]].into_iter().zip(1..).map(row).collect::<Vec<Row>>()
        };
        let read = |header| Table::with_header(rows(), Some(header), Notes::default()).unwrap();
        assert_eq!((read(true).columns.join(" "), read(true).rows.len()), ("zero a".into(), 1));
        assert_eq!((read(false).columns.join(" "), read(false).rows.len()), ("column 1 column 2".into(), 2));
    }

    #[test]
    fn the_header_once_more_and_empty_columns_are_left_out_and_counted() {
        let table = table(&[
            &["", "text", "", "mood", ""],
            &["1", "one", "", "good", " "],
            &["", "text ", "", "mood", ""],
            &["2", "two", "", "bad", ""],
        ]);
        assert_eq!(table.columns, ["column 1", "text", "mood"]);
        assert_eq!(table.rows[1], Row { line: 4, cells: ["2", "two", "bad"].map(String::from).into() });
        assert_eq!((table.notes.repeated_headers, table.notes.empty_columns), (1, 2));
        let empty = Table::with_header(vec![Row { line: 1, cells: vec![" ".into()] }], None, Notes::default());
        assert_eq!(empty, Err(UserDataError::Empty));
    }

    #[test]
    fn a_column_called_label_is_the_label_and_a_split_is_none() {
        let of = |names: [&str; 4]| {
            let row = |i: usize| {
                let cells = [["train", "test"][i % 2], ["a", "b", "c"][i % 3], "", ["True", "False"][i % 2]];
                let cells = [cells[0], cells[1], &format!("sentence {i}"), cells[3]].map(String::from);
                Row { line: i + 2, cells: cells.into() }
            };
            let columns = names.map(String::from).into();
            Table { columns, rows: (0..60).map(row).collect(), notes: Notes::default() }.guess()
        };
        assert_eq!(of(["split", "label", "text", "verified"]), Some((2, 1)));
        assert_eq!(of(["part", "colour", "text", "bought"]), Some((2, 1)));
        assert_eq!(of(["part", "colour", "text", "is_spam"]), Some((2, 3)));
        // Too many values: the name does not help.
        assert_eq!(of(["part", "colour", "label", "bought"]), Some((2, 1)));
        assert_eq!(of(["class", "colour", "text", "bought"]), Some((2, 0)));
    }

    #[test]
    fn the_label_has_few_values_and_the_text_is_long() {
        let many: Vec<[String; 3]> = (0..30)
            .map(|i| [i.to_string(), format!("a sentence with number {i}"), ["good", "bad"][i % 2].to_string()])
            .collect();
        let rows: Vec<Row> = many.into_iter().zip(1..).map(|(cells, line)| Row { line, cells: cells.into() }).collect();
        assert_eq!(Table::with_header(rows, None, Notes::default()).unwrap().guess(), Some((1, 2)));
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
