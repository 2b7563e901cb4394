//! A table that is one JSON value.

use super::places::{Place, elements, fault, line, members, skip_blanks, value};
use super::rows::{Rows, of_objects};
use crate::task::user_data::decode::Lines;
use crate::task::user_data::error::UserDataError;
use crate::task::user_data::header::names as unique_names;
use crate::task::user_data::names::is_known;
use crate::task::user_data::table::Table;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Names under which an object holds its rows.
const HOLDS_ROWS: [&str; 6] = ["data", "rows", "records", "items", "examples", "results"];

/// Reads an array of objects, or of rows that are arrays themselves.
pub fn array(text: &str, header: Option<bool>) -> Result<Table, UserDataError> {
    let (found, end) = elements(text, skip_blanks(text, 0))?;
    let end = skip_blanks(text, end);
    if end < text.len() {
        return Err(fault(text, end, "something follows the array"));
    }
    of_elements(text, &found, header)
}

fn of_elements(text: &str, found: &[Place], header: Option<bool>) -> Result<Table, UserDataError> {
    match found.first() {
        None => Err(UserDataError::Empty),
        Some(first) if begins(text, first, '[') => of_values(text, None, found)?.into_unnamed(header),
        Some(first) if begins(text, first, '{') => of_objects(text, found)?.into_table(),
        Some(first) => Err(values_fault(text, first, None)),
    }
}

/// A list of values, which have no labels.
fn values_fault(text: &str, first: &Place, key: Option<&String>) -> UserDataError {
    UserDataError::Values { line: line(text, first.start), key: key.cloned(), texts: begins(text, first, '"') }
}

fn begins(text: &str, place: &Place, with: char) -> bool {
    text[place.clone()].starts_with(with)
}

/// Reads one object that holds a table.
pub fn object(text: &str, header: Option<bool>) -> Result<Table, UserDataError> {
    let (members, end) = members(text, skip_blanks(text, 0))?;
    let end = skip_blanks(text, end);
    if end < text.len() {
        return Err(fault(text, end, "something follows the object"));
    }
    if let Some(twice) = members.iter().enumerate().find(|(i, (key, _))| members[..*i].iter().any(|(k, _)| k == key)) {
        let (_, (key, place)) = twice;
        return Err(UserDataError::RepeatedKey { line: line(text, place.start), key: key.clone() });
    }
    let found = |key: &str, with: char| members.iter().find(|(k, at)| k == key && begins(text, at, with)).map(|m| &m.1);
    // pandas: orient="split".
    if let (Some(columns), Some(data)) = (found("columns", '['), found("data", '[')) {
        let columns: Vec<Value> = value(text, columns)?;
        let rows = elements(text, data.start)?.0;
        if rows.is_empty() {
            return Err(UserDataError::NoRows { line: line(text, data.start), key: "data".into() });
        }
        return of_values(text, Some(columns), &rows)?.into_table();
    }
    // `{"version": "1.0", "data": [{…}]}`, pandas' orient="table", the viewer's `{"features": […], "rows": […]}`.
    for place in HOLDS_ROWS.iter().filter_map(|key| found(key, '[')) {
        let rows = elements(text, place.start)?.0;
        if rows.first().is_some_and(|row| begins(text, row, '{') || begins(text, row, '[')) {
            return of_elements(text, &rows, header);
        }
    }
    let all = |with: char| !members.is_empty() && members.iter().all(|(_, place)| begins(text, place, with));
    if all('[') && members.len() > 1 && are_lists(text, &members)? {
        return of_lists(text, &members);
    }
    if all('{') {
        return of_objects_in(text, &members);
    }
    // Rows under a name of their own.
    let mut of_rows = Vec::new();
    for (key, place) in members.iter().filter(|(_, place)| begins(text, place, '[')) {
        let rows = elements(text, place.start)?.0;
        if rows.first().is_some_and(|row| begins(text, row, '{')) {
            of_rows.push((key, rows));
        }
    }
    match of_rows.as_slice() {
        [(_, rows)] => of_elements(text, rows, header),
        [(one, _), (other, _), ..] => {
            Err(UserDataError::SeveralTables { one: one.to_string(), other: other.to_string() })
        }
        // No rows, values alone, or one row.
        [] => {
            if let Some(fault) = without_rows(text, &members)? {
                return Err(fault);
            }
            let whole = skip_blanks(text, 0)..text.trim_end().len();
            of_objects(text, std::slice::from_ref(&whole))?.into_table()
        }
    }
}

/// What is wrong with an object that holds no row: its list is empty, or one of values without labels.
fn without_rows(text: &str, members: &[(String, Place)]) -> Result<Option<UserDataError>, UserDataError> {
    let mut lists = Vec::new();
    for (key, place) in members.iter().filter(|(_, place)| begins(text, place, '[')) {
        lists.push((key, place, elements(text, place.start)?.0));
    }
    let are_all_empty = lists.len() == members.len() && lists.iter().all(|(.., values)| values.is_empty());
    let is_empty = |(key, _, values): &&(&String, &Place, Vec<Place>)| {
        values.is_empty() && (are_all_empty || HOLDS_ROWS.contains(&key.as_str()))
    };
    if let Some((key, place, _)) = lists.iter().find(is_empty) {
        return Ok(Some(UserDataError::NoRows { line: line(text, place.start), key: key.to_string() }));
    }
    // Beside a text or a label it is a cell of one row.
    let is_row = members.iter().any(|(key, place)| is_known(key) && !begins(text, place, '['));
    Ok(match lists.as_slice() {
        [(key, _, values)] if values.len() > 1 && !is_row && !begins(text, &values[0], '[') => {
            Some(values_fault(text, &values[0], Some(key)))
        }
        _ => None,
    })
}

/// Whether some arrays are columns: one begins with a value that is no list or object, and where another holds
/// objects they have one length.
fn are_lists(text: &str, members: &[(String, Place)]) -> Result<bool, UserDataError> {
    let (mut values, mut objects, mut lengths) = (false, false, HashSet::new());
    for (_, place) in members {
        let found = elements(text, place.start)?.0;
        lengths.insert(found.len());
        match found.first() {
            Some(first) if begins(text, first, '{') => objects = true,
            Some(first) => values |= !begins(text, first, '['),
            None => {}
        }
    }
    Ok(values && (!objects || lengths.len() == 1))
}

/// Rows that are arrays, under names or without.
fn of_values(text: &str, columns: Option<Vec<Value>>, found: &[Place]) -> Result<Rows, UserDataError> {
    let mut rows = Rows::default();
    let mut lines = Lines::new(text.as_bytes());
    let named = columns.is_some();
    let name = |value: Value| value.as_str().map_or_else(|| value.to_string(), String::from);
    let names = columns.map(|columns| columns.into_iter().map(name).collect::<Vec<String>>());
    let mut width = names.as_ref().map(Vec::len);
    let places: Option<Vec<usize>> = names.map(|names| {
        let unique = unique_names(names.iter().map(String::as_str));
        unique.iter().map(|name| rows.column(name)).collect()
    });
    for (row, place) in found.iter().enumerate() {
        let line = lines.at(place.start);
        let cells: Vec<Value> = value(text, place)?;
        let columns = *width.get_or_insert(cells.len());
        if cells.len() != columns {
            return Err(UserDataError::RowLength { line, cells: cells.len(), columns, named });
        }
        for (i, cell) in cells.into_iter().enumerate() {
            let column = places.as_ref().map_or_else(|| rows.column(&format!("column {}", i + 1)), |places| places[i]);
            rows.put(row, column, line, cell)?;
        }
        rows.check_size(line)?;
    }
    Ok(rows)
}

/// A list a column, as `to_dict("list")` has it.
fn of_lists(text: &str, members: &[(String, Place)]) -> Result<Table, UserDataError> {
    let mut rows = Rows::default();
    let mut first: Option<(&str, usize)> = None;
    for (key, place) in members {
        let column = rows.column(key);
        let mut lines = Lines::new(text.as_bytes());
        let values = elements(text, place.start)?.0;
        let (other, n) = *first.get_or_insert((key, values.len()));
        if values.len() != n {
            let line = line(text, place.start);
            return Err(UserDataError::ListLength {
                line,
                key: key.clone(),
                values: values.len(),
                other: other.into(),
                n,
            });
        }
        for (row, place) in values.iter().enumerate() {
            rows.put(row, column, lines.at(place.start), value(text, place)?)?;
        }
        rows.check_size(line(text, place.start))?;
    }
    rows.into_table()
}

/// Objects in an object: columns by name (pandas' default) or rows by index (`orient="index"`).
fn of_objects_in(text: &str, outer: &[(String, Place)]) -> Result<Table, UserDataError> {
    let mut inner = Vec::with_capacity(outer.len());
    for (_, place) in outer {
        inner.push(members(text, place.start)?.0);
    }
    let places: Vec<Place> = outer.iter().map(|(_, place)| place.clone()).collect();
    if !are_columns(outer, &inner) {
        return of_objects(text, &places)?.into_table();
    }
    let mut rows = Rows::default();
    let mut indices: HashMap<&str, usize> = HashMap::new();
    for ((key, place), members) in outer.iter().zip(&inner) {
        let column = rows.column(key);
        let mut lines = Lines::new(text.as_bytes());
        let mut seen = vec![false; indices.len()];
        for (index, place) in members {
            let line = lines.at(place.start);
            let next = indices.len();
            let row = *indices.entry(index).or_insert(next);
            seen.resize(indices.len(), false);
            if std::mem::replace(&mut seen[row], true) {
                return Err(UserDataError::RepeatedKey { line, key: index.clone() });
            }
            rows.put(row, column, line, value(text, place)?)?;
        }
        rows.check_size(line(text, place.start))?;
    }
    rows.into_table()
}

/// Whether objects in an object are columns: what they hold has numbers for names, or they themselves have
/// names that columns go by; else the fewer are columns.
fn are_columns(outer: &[(String, Place)], inner: &[Vec<(String, Place)>]) -> bool {
    let is_number = |key: &str| key.parse::<u64>().is_ok();
    let inner_keys = || inner.iter().flatten().map(|(key, _)| key.as_str());
    let (numbers_out, numbers_in) = (outer.iter().all(|(key, _)| is_number(key)), inner_keys().all(is_number));
    if numbers_out != numbers_in {
        return numbers_in;
    }
    let (known_out, known_in) = (outer.iter().any(|(key, _)| is_known(key)), inner_keys().any(is_known));
    if known_out != known_in {
        return known_out;
    }
    outer.len() <= inner.iter().map(Vec::len).max().unwrap_or(0)
}
