//! Objects as rows of a table.

use super::object::Object;
use super::places::{Place, members, skip_blanks, value};
use crate::task::user_data::decode::Lines;
use crate::task::user_data::error::UserDataError;
use crate::task::user_data::limits::MAX_CELLS;
use crate::task::user_data::notes::Notes;
use crate::task::user_data::row::Row;
use crate::task::user_data::table::Table;
use serde_json::Value;
use std::collections::HashMap;

/// The key of a row in what the viewer of data sets gives: `{"row_idx": 0, "row": {…}}`.
const WRAPPED: &str = "row";

/// A table that grows columns as keys appear.
#[derive(Default)]
pub struct Rows {
    columns: Vec<String>,
    places: HashMap<String, usize>,
    rows: Vec<Row>,
    /// By column, the line of the first list or object.
    nested: Vec<Option<usize>>,
}

impl Rows {
    /// The object at a place, or the one that it wraps, as a row.
    pub fn push_from(&mut self, text: &str, place: &Place, line: usize) -> Result<(), UserDataError> {
        let object: Object = value(text, place)?;
        let wraps = |(key, value): &(String, Value)| key == WRAPPED && value.is_object();
        if !object.0.iter().any(wraps) {
            return self.push(line, object);
        }
        // Read once more: the parser keeps the order of an outer object alone.
        let inner = members(text, skip_blanks(text, place.start))?.0.into_iter().find(|(key, _)| key == WRAPPED);
        match inner {
            Some((_, place)) => self.push(line, value(text, &place)?),
            None => self.push(line, object),
        }
    }

    /// An object as a row.
    pub fn push(&mut self, line: usize, object: Object) -> Result<(), UserDataError> {
        let row = self.rows.len();
        self.rows.push(Row { line, cells: Vec::new() });
        let mut seen = vec![false; self.columns.len()];
        for (key, value) in object.0 {
            let column = self.column(&key);
            seen.resize(self.columns.len(), false);
            if std::mem::replace(&mut seen[column], true) {
                return Err(UserDataError::RepeatedKey { line, key });
            }
            self.put(row, column, line, value)?;
        }
        self.check_size(line)
    }

    /// Writes a value into a cell. A list or an object leaves it empty, and the column is nested.
    pub fn put(&mut self, row: usize, column: usize, line: usize, value: Value) -> Result<(), UserDataError> {
        while self.rows.len() <= row {
            self.rows.push(Row { line, cells: Vec::new() });
        }
        let cell = match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                self.nested[column].get_or_insert(line);
                String::new()
            }
        };
        let cells = &mut self.rows[row].cells;
        if cells.len() <= column {
            cells.resize(column + 1, String::new());
        }
        cells[column] = cell;
        Ok(())
    }

    /// The place of a key's column, a new one where there is none.
    pub fn column(&mut self, key: &str) -> usize {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        self.places.insert(key.into(), self.columns.len());
        self.columns.push(key.into());
        self.nested.push(None);
        self.columns.len() - 1
    }

    /// Refuses more cells than are allowed.
    pub fn check_size(&self, line: usize) -> Result<(), UserDataError> {
        match self.rows.len().saturating_mul(self.columns.len()) > MAX_CELLS {
            true => Err(UserDataError::TooManyCells { line }),
            false => Ok(()),
        }
    }

    /// The table, where names came with the values. Rows without a key have an empty cell there.
    pub fn into_table(self) -> Result<Table, UserDataError> {
        let (columns, rows, notes) = self.flat()?;
        Ok(Table { columns, rows, notes })
    }

    /// The table, where the first row may name the columns.
    pub fn into_unnamed(self, header: Option<bool>) -> Result<Table, UserDataError> {
        let (_, rows, notes) = self.flat()?;
        Table::with_header(rows, header, notes)
    }

    /// Columns and rows without nested columns.
    fn flat(mut self) -> Result<(Vec<String>, Vec<Row>, Notes), UserDataError> {
        let width = self.columns.len();
        let is_flat: Vec<bool> = self.nested.iter().map(Option::is_none).collect();
        let nested: Vec<(String, usize)> = self
            .nested
            .iter()
            .zip(&self.columns)
            .filter_map(|(line, key)| line.map(|line| (key.clone(), line)))
            .collect();
        // A text and a label are two columns: without them the nested one is what is wrong.
        if let Some((key, line)) = nested.first()
            && width - nested.len() < 2
        {
            return Err(UserDataError::Nested { line: *line, key: key.clone() });
        }
        if width == 0 {
            return Err(UserDataError::Empty);
        }
        for row in &mut self.rows {
            row.cells.resize(width, String::new());
            if !nested.is_empty() {
                let cells = std::mem::take(&mut row.cells);
                row.cells = cells.into_iter().zip(&is_flat).filter_map(|(cell, flat)| flat.then_some(cell)).collect();
            }
        }
        let columns = self.columns.into_iter().zip(is_flat).filter_map(|(key, flat)| flat.then_some(key)).collect();
        Ok((columns, self.rows, Notes { nested, ..Notes::default() }))
    }
}

/// Reads an object a line; blank lines are skipped.
pub fn lines(text: &str) -> Result<Table, UserDataError> {
    let mut rows = Rows::default();
    let mut at = 0;
    for (part, line) in text.split('\n').zip(1..) {
        let place = at..at + part.len();
        at = place.end + 1;
        if part.trim().is_empty() {
            continue;
        }
        rows.push_from(text, &place, line).map_err(|fault| match fault {
            UserDataError::Json { column, message, .. } => {
                UserDataError::Json { line, column, message, one_a_line: true }
            }
            other => other,
        })?;
    }
    rows.into_table()
}

/// Rows of the objects at places of a text.
pub fn of_objects(text: &str, objects: &[Place]) -> Result<Rows, UserDataError> {
    let mut rows = Rows::default();
    let mut lines = Lines::new(text.as_bytes());
    for place in objects {
        rows.push_from(text, place, lines.at(place.start))?;
    }
    Ok(rows)
}
