//! Tables of the pages for people, read and written anew: each is derived from what was recorded, or from the code.
//!
//! `RECORD_RESULTS=1` before a test of a page writes its tables anew.

use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// A table of a page: the cells of its head and of its rows.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A file of the repository.
pub fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A file of the repository with a JSON object on each line.
pub fn lines(name: &str) -> Vec<Value> {
    read(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn cells(line: &str) -> Vec<String> {
    let line = line.trim().strip_prefix('|').unwrap_or(line);
    let line = line.strip_suffix('|').unwrap_or(line);
    line.split('|').map(|cell| cell.trim().to_string()).collect()
}

fn written(cells: &[String]) -> String {
    let filled = cells.iter().map(|cell| if cell.is_empty() { " ".to_string() } else { format!(" {cell} ") });
    format!("|{}|", filled.collect::<Vec<_>>().join("|"))
}

/// Compares each table of a page with what `derive` makes of it, or writes it anew. A table of words gives `None`.
pub fn check(page: &str, derive: impl Fn(&Table) -> Option<Vec<Vec<String>>>) {
    let text = read(page);
    let lines: Vec<&str> = text.lines().collect();
    let (mut out, mut wrong, mut i) = (Vec::new(), BTreeMap::new(), 0);
    while i < lines.len() {
        out.push(lines[i].to_string());
        i += 1;
        if !(lines[i - 1].starts_with('|') && lines.get(i).is_some_and(|line| line.starts_with("|-"))) {
            continue;
        }
        let end = (i..lines.len()).find(|at| !lines[*at].starts_with('|')).unwrap_or(lines.len());
        let rows: Vec<Vec<String>> = lines[i + 1..end].iter().map(|line| cells(line)).collect();
        let table = Table { header: cells(lines[i - 1]), rows };
        out.push(lines[i].to_string());
        match derive(&table) {
            None => out.extend(lines[i + 1..end].iter().map(|line| line.to_string())),
            Some(right) => {
                compare(&table, &right, &mut wrong);
                out.extend(right.iter().map(|row| written(row)));
            }
        }
        i = end;
    }
    if std::env::var_os("RECORD_RESULTS").is_some() {
        std::fs::write(path(page), out.join("\n") + "\n").unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{page}: {wrong:#?}\nRECORD_RESULTS=1 writes the tables anew.");
}

fn compare(table: &Table, right: &[Vec<String>], wrong: &mut BTreeMap<String, String>) {
    for i in 0..table.rows.len().max(right.len()) {
        let (mine, theirs) = (table.rows.get(i), right.get(i));
        let cells = mine.map_or(0, Vec::len).max(theirs.map_or(0, Vec::len));
        for j in 0..cells {
            let cell = |row: Option<&Vec<String>>| row.and_then(|row| row.get(j)).cloned().unwrap_or_default();
            if cell(mine) != cell(theirs) {
                let name = table.rows.get(i).or(right.get(i)).map_or("", |row| row[0].as_str());
                let column = table.header.get(j).map_or("", String::as_str);
                wrong.insert(format!("{i} · {name} · {column}"), format!("“{}” is “{}”", cell(mine), cell(theirs)));
            }
        }
    }
}

/// Where figures stand in a text. `4 min 32 s` is one, `1,050`, `1e-4` and `.95` are, digits of a name (`W2`) are not.
fn figures(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let number = |start: usize| {
        let mut end = start;
        loop {
            end = match bytes.get(end) {
                _ if digit(end) => end + 1,
                Some(b'.') if digit(end + 1) => end + 1,
                Some(b',') if end > start && digit(end + 1) => end + 1,
                Some(b'e') if end > start && digit(end + 1) => end + 1,
                Some(b'e') if end > start && bytes.get(end + 1) == Some(&b'-') && digit(end + 2) => end + 2,
                _ => return end,
            }
        }
    };
    let is_unit = |at: usize, unit: &str| {
        text[at..].starts_with(unit) && !bytes.get(at + unit.len()).is_some_and(u8::is_ascii_alphabetic)
    };
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let in_a_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || b"_-".contains(&bytes[at - 1]));
        let mut end = number(at);
        if end == at || in_a_name || !text.is_char_boundary(at) {
            at += 1;
            continue;
        }
        if is_unit(end, " min") {
            end += " min".len();
            let seconds = if bytes.get(end) == Some(&b' ') { number(end + 1) } else { end };
            if seconds > end + 1 && is_unit(seconds, " s") {
                end = seconds + " s".len();
            }
        } else if is_unit(end, " s") {
            end += " s".len();
        }
        found.push(at..end);
        at = end;
    }
    found
}

/// A cell with its figures replaced in their order; the words stay.
pub fn filled(cell: &str, right: &[String]) -> String {
    let places = figures(cell);
    let there: Vec<&str> = places.iter().map(|range| &cell[range.clone()]).collect();
    assert_eq!(there.len(), right.len(), "“{cell}” has {there:?}; what was recorded is {right:?}");
    let mut out = cell.to_string();
    for (place, figure) in places.into_iter().zip(right).rev() {
        out.replace_range(place, figure);
    }
    out
}

/// Compares the figures of sentences with what was recorded. Each must stand on the page with its figures in place of `{}`.
pub fn check_sentences(page: &str, sentences: &[(&str, Vec<String>)]) {
    let text = read(page).split_whitespace().collect::<Vec<_>>().join(" ");
    for (sentence, figures) in sentences {
        let mut parts = sentence.split("{}");
        let first = parts.next().unwrap_or_default().to_string();
        let right = figures.iter().zip(parts).fold(first, |out, (figure, part)| out + figure + part);
        assert!(text.contains(&right), "{page} does not say “{right}”");
    }
}

/// `12,345`, `1.83`, `107`: three digits and more.
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 { peft_lab::base::grouped(value as u64) } else { value.to_string() }
}

/// `4 min 32 s`, `35 s`, `22 min`
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

#[test]
fn a_figure_is_replaced_where_it_stands_and_no_name_is_one() {
    let cell = "S, r 8 on W_Q2: 4 min 32 s, 28 minutes, 1,050 and .95 (1e-4, 1.83 ×), prose-2, 9 s";
    let there: Vec<&str> = figures(cell).into_iter().map(|range| &cell[range]).collect();
    assert_eq!(there, ["8", "4 min 32 s", "28", "1,050", ".95", "1e-4", "1.83", "9 s"]);
    assert_eq!(filled("d₉₀ 12 and 3", &["1.5".into(), "40".into()]), "d₉₀ 1.5 and 40");
    assert_eq!([272.0, 35.0, 1320.0].map(duration), ["4 min 32 s", "35 s", "22 min"]);
    assert_eq!(written(&cells("| a | | `b` |")), "| a | | `b` |");
}
