//! Headers of two rows, as pandas writes columns of two levels: `review,review,meta` above `text,label,date`.

use super::header::is_number;
use super::names::is_known;
use super::row::Row;
use std::collections::{HashMap, HashSet};

/// What of the first records is the header, beside the first.
pub struct Levels {
    /// The second record holds names.
    pub second: bool,
    /// The record behind them names the index alone.
    pub index_name: bool,
    /// Names of both rows, where there are two.
    pub names: Option<Vec<String>>,
}

/// Finds a second row of names and a row that names the index alone; `None` where there is neither for certain.
pub fn levels(records: &[Row]) -> Option<Levels> {
    let (upper, below) = records.split_first()?;
    let upper: Vec<&str> = upper.cells.iter().map(|cell| cell.trim()).collect();
    if upper.len() < 2 {
        return None;
    }
    let named = |second: bool| below.get(usize::from(second)..).is_some_and(|rows| is_index_name(&upper, rows));
    let lower: Vec<&str> = below.first()?.cells.iter().map(|cell| cell.trim()).collect();
    let index_name = named(true);
    let body = below.get(1 + usize::from(index_name)..).unwrap_or_default();
    if are_levels(&upper, &lower, body, index_name) {
        let names = joined(&upper, &lower, if index_name { below.get(1) } else { None });
        return Some(Levels { second: true, index_name, names: Some(names) });
    }
    // The header's first name is blank, and stands in a row of its own.
    (upper[0].is_empty() && named(false)).then(|| {
        let mut names: Vec<String> = upper.iter().map(|name| name.to_string()).collect();
        names[0] = lower[0].to_string();
        Levels { second: false, index_name: true, names: Some(names) }
    })
}

/// Whether the first of some rows has its first cell alone, and all others have more.
fn is_index_name(upper: &[&str], rows: &[Row]) -> bool {
    let filled = |row: &Row| row.cells.iter().skip(1).any(|cell| !cell.trim().is_empty());
    let Some((first, rest)) = rows.split_first() else { return false };
    let name = first.cells[0].trim();
    upper.len() > 2
        && !name.is_empty()
        && !is_number(name)
        && !filled(first)
        && rest.len() > 1
        && rest.iter().all(|row| filled(row) && row.cells[0].trim() != name)
}

/// Whether two rows of names are one header. The upper one repeats names, or leaves repeats blank. Nothing of the
/// lower one comes again, and something shows that it holds names.
fn are_levels(upper: &[&str], lower: &[&str], body: &[Row], index_name: bool) -> bool {
    let is_filled = |i: usize| !upper[i].is_empty();
    let repeats = (1..upper.len()).any(|i| is_filled(i) && upper[i] == upper[i - 1]);
    let first = (0..upper.len()).find(|i| is_filled(*i)).unwrap_or(upper.len());
    let leaves = (first + 1..upper.len()).any(|i| !is_filled(i) && !lower[i].is_empty());
    if body.len() < 2 || lower.len() != upper.len() || !(repeats || leaves) || lower.iter().all(|name| name.is_empty())
    {
        return false;
    }
    let values = |column: usize| body.iter().filter_map(move |row| row.cells.get(column)).map(|cell| cell.trim());
    let comes_again = |i: usize| !lower[i].is_empty() && values(i).any(|value| value == lower[i]);
    let pairs: HashSet<(&str, &str)> = filled(upper).into_iter().zip(lower.iter().copied()).collect();
    let are_numbers = |i: usize| values(i).all(|value| value.is_empty() || is_number(value));
    let is_value = |i: usize| i > 0 && is_number(lower[i]);
    if (0..lower.len()).any(|i| comes_again(i) || is_value(i)) || pairs.len() < upper.len() {
        return false;
    }
    let is_index = upper[0].is_empty() && lower[0].is_empty() && values(0).all(|value| !value.is_empty());
    // `text,score,score` above `,mean,std`: blank where one name is enough.
    let times = |name: &str| upper.iter().filter(|other| **other == name).count();
    let completes = lower.iter().any(|name| name.is_empty())
        && (0..upper.len()).all(|i| is_filled(i) && lower[i].is_empty() == (times(upper[i]) == 1))
        && (0..upper.len()).all(|i| values(i).any(|value| !value.is_empty()));
    let above_numbers = (1..lower.len()).filter(|i| !lower[*i].is_empty() && are_numbers(*i)).count();
    index_name || is_index || completes || above_numbers > 1 || lower.iter().any(|name| is_known(name))
}

/// Names with the blanks behind them filled.
fn filled<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut last = "";
    names
        .iter()
        .map(|name| {
            last = if name.is_empty() { last } else { name };
            last
        })
        .collect()
}

/// The lower name where it tells the column from all others, else both; the index's own for the first.
fn joined(upper: &[&str], lower: &[&str], index: Option<&Row>) -> Vec<String> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    lower.iter().for_each(|name| *times.entry(name).or_default() += 1);
    let mut names: Vec<String> = filled(upper)
        .iter()
        .zip(lower)
        .map(|(group, name)| match times[name] {
            1 if !name.is_empty() => name.to_string(),
            _ => format!("{group} {name}").trim().to_string(),
        })
        .collect();
    if let Some(index) = index {
        names[0] = index.cells[0].trim().to_string();
    }
    names
}
