//! Objects as rows of a table.

use super::object::Object;
use super::places::{Place, members, skip_blanks, value};
use crate::task::user_data::decode::Lines;
use crate::task::user_data::error::UserDataError;
use crate::task::user_data::limits::MAX_CELLS;
use crate::task::user_data::nested::{Holds, NestedColumn, most_missed};
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
    /// By column.
    inner: Vec<Inner>,
}

/// The lists and objects that a column holds.
#[derive(Clone, Copy, Default)]
struct Inner {
    /// The line of the first one that is no single value, and what it is.
    first: Option<(usize, Holds)>,
    /// Whether that and all others are empty lists.
    only_empty: bool,
    /// Whether there is a list of one value, which is read as that value.
    single: bool,
}

impl Inner {
    /// What makes the column a nested one. Empty lists beside lists of one value are empty cells.
    fn nested(&self) -> Option<(usize, Holds)> {
        self.first.filter(|_| !(self.only_empty && self.single))
    }

    fn add(&mut self, line: usize, holds: Holds) {
        let is_empty = holds == Holds::EmptyList;
        // What cannot be read tells more than what is empty.
        if self.first.is_none() || (self.only_empty && !is_empty) {
            self.first = Some((line, holds));
            self.only_empty = is_empty;
        }
    }
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

    /// Writes a value into a cell. A list of one value is that value. Other lists and objects leave the cell empty,
    /// and the column is nested.
    pub fn put(&mut self, row: usize, column: usize, line: usize, value: Value) -> Result<(), UserDataError> {
        while self.rows.len() <= row {
            self.rows.push(Row { line, cells: Vec::new() });
        }
        let inner = &mut self.inner[column];
        let value = match value {
            Value::Array(mut values) => match values.as_slice() {
                [Value::Null | Value::String(_) | Value::Bool(_) | Value::Number(_)] => {
                    inner.single = true;
                    values.swap_remove(0)
                }
                other => {
                    inner.add(line, Holds::of_list(other));
                    Value::Null
                }
            },
            value => value,
        };
        let cell = match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            Value::Object(_) => {
                inner.add(line, Holds::Object);
                String::new()
            }
            value => value.to_string(),
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
        self.inner.push(Inner::default());
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
        Table { columns, rows, notes }.without_nested()
    }

    /// The table, where the first row may name the columns.
    pub fn into_unnamed(self, header: Option<bool>) -> Result<Table, UserDataError> {
        let (_, rows, notes) = self.flat()?;
        Table::with_header(rows, header, notes)?.without_nested()
    }

    /// Columns and rows without nested columns.
    fn flat(mut self) -> Result<(Vec<String>, Vec<Row>, Notes), UserDataError> {
        let width = self.columns.len();
        let is_flat: Vec<bool> = self.inner.iter().map(|inner| inner.nested().is_none()).collect();
        let (mut nested, mut single_lists) = (Vec::new(), Vec::new());
        for (inner, key) in self.inner.iter().zip(&self.columns) {
            match inner.nested() {
                Some((line, holds)) => nested.push(NestedColumn { key: key.clone(), line, holds }),
                None if inner.single => single_lists.push(key.clone()),
                None => {}
            }
        }
        // A text and a label are two columns: without them the nested one is what is wrong.
        if let Some(column) = most_missed(&nested).filter(|_| width - nested.len() < 2) {
            return Err(UserDataError::Nested(column.clone()));
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
        Ok((columns, self.rows, Notes { nested, single_lists, ..Notes::default() }))
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
        if part.trim_start().starts_with('"') && serde_json::from_str::<String>(part).is_ok() {
            return Err(UserDataError::Values { line, key: None, texts: true });
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
