//! Which rows above a table name its columns, and which are no part of it.

use super::limits::MAX_LABELS;
use super::names::is_known;
use super::row::Row;
use std::collections::{HashMap, HashSet};

/// Rows that may stand above a header.
const ABOVE: usize = 5;
/// Rows by which the width of a table is judged.
const LOOKED_AT: usize = 20;

/// How many rows stand above the table: titles and comments, which have one cell and not the table's number,
/// or stand above a header.
pub fn above(rows: &[Row], header: Option<bool>) -> usize {
    let width = width(rows);
    let may_be = |row: &Row| {
        let filled = row.cells.iter().filter(|cell| !cell.trim().is_empty()).count();
        filled <= 1 || row.cells[0].starts_with('#')
    };
    let above = rows.iter().take(ABOVE).take_while(|row| may_be(row)).count();
    if width < 2 || above == rows.len() {
        return 0;
    }
    // A row of the table's width is a title only where the next row names the columns, or is a title itself.
    let titled = |above: &usize| {
        let (titles, below) = rows.split_at(*above);
        let is_narrow = titles.last().is_none_or(|row| row.cells.len() != width);
        let known = titles.iter().any(|row| row.cells.iter().any(|cell| is_known(cell)));
        below.first().is_some_and(|row| row.cells.len() == width)
            && (is_narrow || (header != Some(false) && !known && signs(below) == Some(true)))
    };
    (0..=above).rev().find(titled).unwrap_or(0)
}

/// The commonest number of cells of the first rows; of as common ones the largest.
fn width(rows: &[Row]) -> usize {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    rows.iter().take(LOOKED_AT).for_each(|row| *counts.entry(row.cells.len()).or_default() += 1);
    counts.into_iter().max_by_key(|(cells, n)| (*n, *cells)).map_or(0, |(cells, _)| cells)
}

/// What a column's first cell says of the first row.
#[derive(PartialEq)]
enum Sign {
    /// It is unlike its column's values.
    Name,
    /// It is one of its column's values.
    Value,
    /// It could be either.
    Either,
}

/// Whether the first row names columns.
///
/// It does if it holds a name that columns of labels or texts go by and that is no value below it. It does if a cell is unlike its column's
/// values: none of a few that come again, or no number above numbers. A cell that is one of its column's
/// values speaks against it. Without such signs a row of different words is a header.
pub fn is_header(rows: &[Row]) -> bool {
    let are_words = || {
        let mut seen = HashSet::new();
        let mut names = rows.first().into_iter().flat_map(|row| &row.cells).map(|cell| cell.trim());
        !rows.is_empty() && names.all(|name| !name.is_empty() && seen.insert(name) && !is_number(name))
    };
    signs(rows).unwrap_or_else(are_words)
}

/// What the first row's cells say of it; `None` where they say nothing.
fn signs(rows: &[Row]) -> Option<bool> {
    let (first, rest) = rows.split_first()?;
    let names: Vec<&str> = first.cells.iter().map(|cell| cell.trim()).collect();
    // A file that was joined of several repeats its header.
    let rest: Vec<&Row> = rest.iter().filter(|row| !is_same(row, &names)).collect();
    if is_numbered(&names) && !rest.is_empty() {
        return Some(rest.iter().any(|row| row.cells.iter().any(|cell| !cell.trim().is_empty() && !is_number(cell))));
    }
    let signs: Vec<Sign> = names.iter().enumerate().map(|(column, name)| sign(name, column, &rest)).collect();
    // A name that columns go by, above values of another kind, outweighs a label that is called like one of its
    // values. A number that comes again outweighs both.
    let is_counted = signs.iter().zip(&names).any(|(sign, name)| *sign == Sign::Value && is_number(name));
    let is_called = signs.iter().zip(&names).any(|(sign, name)| *sign != Sign::Value && is_known(name));
    if is_called && !is_counted {
        return Some(true);
    }
    if signs.iter().zip(&names).any(|(sign, name)| *sign == Sign::Value && !is_known(name)) {
        return Some(false);
    }
    (signs.contains(&Sign::Name) || names.iter().any(|name| is_known(name))).then_some(true)
}

/// Whether a row is the header once more.
pub fn is_same(row: &Row, names: &[&str]) -> bool {
    row.cells.len() == names.len() && row.cells.iter().zip(names).all(|(cell, name)| cell.trim() == *name)
}

fn sign(name: &str, column: usize, rest: &[&Row]) -> Sign {
    if name.is_empty() {
        return Sign::Either;
    }
    let values = || rest.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.trim());
    if values().any(|value| value == name) {
        return Sign::Value;
    }
    let (mut seen, mut filled, mut numbers) = (HashSet::new(), 0, 0);
    for value in values().filter(|value| !value.is_empty()) {
        filled += 1;
        numbers += usize::from(is_number(value));
        if seen.len() <= MAX_LABELS {
            seen.insert(value);
        }
    }
    let are_numbers = filled > 0 && numbers == filled;
    let come_again = seen.len() <= MAX_LABELS && filled >= 2 * seen.len() && filled >= 4;
    match is_number(name) {
        false if are_numbers || come_again => Sign::Name,
        // The name of a column of words may be a number, that of numbers may be a value.
        true if !are_numbers && come_again => Sign::Name,
        _ => Sign::Either,
    }
}

/// Names that pandas gives: 0, 1 …, perhaps behind a blank one for the index.
fn is_numbered(names: &[&str]) -> bool {
    let names = if names.len() > 1 && names[0].is_empty() { &names[1..] } else { names };
    names.len() > 1 && names.iter().enumerate().all(|(i, name)| *name == i.to_string())
}

/// Whether a cell is a number.
pub fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok()
}

/// The names of columns: a blank one is numbered by its place, a repeated one by how often it came.
pub fn names<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<String> {
    let cells: Vec<&str> = cells.map(str::trim).collect();
    let mut taken: HashSet<String> = cells.iter().map(|name| name.to_string()).collect();
    let mut seen = HashSet::new();
    let free = |taken: &mut HashSet<String>, name: &dyn Fn(usize) -> String, from: usize| {
        let name = (from..).map(name).find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(name.clone());
        name
    };
    let mut names = Vec::with_capacity(cells.len());
    for (place, cell) in cells.iter().enumerate() {
        names.push(match cell.is_empty() {
            true => {
                let plain = format!("column {}", place + 1);
                match taken.insert(plain.clone()) {
                    true => plain,
                    false => free(&mut taken, &|n| format!("{plain} ({n})"), 2),
                }
            }
            false if seen.insert(*cell) => cell.to_string(),
            false => free(&mut taken, &|n| format!("{cell} ({n})"), 2),
        });
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(records: &[&[&str]]) -> Vec<Row> {
        let row = |(cells, line): (&&[&str], _)| Row { line, cells: cells.iter().map(|c| c.to_string()).collect() };
        records.iter().zip(1..).map(row).collect()
    }

    /// Six rows of a number, a text and one of two moods.
    fn below() -> Vec<[&'static str; 3]> {
        vec![
            ["4", "a day out", "good"],
            ["5", "a day in", "bad"],
            ["6", "rain all week", "bad"],
            ["7", "a warm lake", "good"],
            ["8", "no lunch", "bad"],
            ["9", "a long walk", "good"],
        ]
    }

    fn with(first: [&'static str; 3]) -> Vec<Row> {
        let all: Vec<[&str; 3]> = std::iter::once(first).chain(below()).collect();
        rows(&all.iter().map(|row| &row[..]).collect::<Vec<_>>())
    }

    #[test]
    fn names_may_be_blank_numbers_or_repeated() {
        for first in [
            ["", "text", "mood"],
            ["id", "text", "mood"],
            ["", "0", "1"],
            ["0", "1", "2"],
            ["2020", "2021", "2022"],
            ["x", "x", "x"],
            ["", "", "label"],
            ["12", "remark", "Class"],
        ] {
            assert!(is_header(&with(first)), "{first:?}");
        }
    }

    #[test]
    fn a_row_like_those_below_is_no_header() {
        for first in [["3", "another day", "good"], ["", "another day", "bad"], ["9", "text", "mood"]] {
            assert!(!is_header(&with(first)), "{first:?}");
        }
        assert!(!is_header(&[]));
        let numbers = rows(&[&["0", "1"], &["3", "4"], &["5", "6"]]);
        assert!(!is_header(&numbers));
    }

    #[test]
    fn a_known_name_outweighs_a_label_called_like_one_of_its_values() {
        for (name, label) in [("text", "good"), ("Review", "bad"), ("message", "good")] {
            let mut table = rows(&[&[name, label]]);
            table.extend(
                with(["1", "another day", "good"])
                    .into_iter()
                    .map(|row| Row { line: row.line, cells: row.cells[1..].to_vec() }),
            );
            assert!(is_header(&table), "{name},{label}");
        }
    }

    #[test]
    fn a_name_that_comes_again_with_the_whole_header_is_no_value() {
        let mut joined = with(["id", "remark", "feel"]);
        joined.push(Row { line: 9, cells: ["id", "remark ", "feel"].map(String::from).into() });
        assert!(is_header(&joined));
        joined.push(Row { line: 10, cells: ["10", "none", "feel"].map(String::from).into() });
        assert!(!is_header(&joined));
    }

    #[test]
    fn titles_and_comments_stand_above() {
        let table: [&[&str]; 4] = [&["text", "mood"], &["one", "good"], &["two", "bad"], &["three", "good"]];
        let above = |first: &[&[&str]]| above(&rows(&[first, &table].concat()), None);
        assert_eq!(above(&[]), 0);
        assert_eq!(above(&[&["A survey"]]), 1);
        assert_eq!(above(&[&["A survey", ""], &["", ""], &["of places", ""]]), 3);
        assert_eq!(above(&[&["# saved on Monday", "3 May", "2024"]]), 1);
        assert_eq!(above(&[&["# saved on Monday", "3 May"]]), 1);
        assert_eq!(above(&[&["zero", "good", "x"]]), 0);
        // A first row without a label is a row.
        let rows = rows(&[&["zero", ""], &["one", "good"], &["two", "good"]]);
        assert_eq!(super::above(&rows, None), 0);
    }

    #[test]
    fn blank_and_repeated_names_are_numbered() {
        let of = |cells: &[&str]| names(cells.iter().copied());
        assert_eq!(of(&["", " text", "text", "", "text"]), ["column 1", "text", "text (2)", "column 4", "text (3)"]);
        assert_eq!(of(&["a", "a (2)", "a", "column 5", ""]), ["a", "a (2)", "a (3)", "column 5", "column 5 (2)"]);
    }
}
