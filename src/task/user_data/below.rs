//! Rows below a header that still belong to it: a second row of names, types, units, the questions of a survey.
//!
//! Only what can be told for certain is taken out, and every such row is told with its line.

use super::header::{is_header, is_number};
use super::levels::levels;
use super::limits::{MAX_LABELS, MIN_ROWS};
use super::names::is_label;
use super::row::Row;
use std::collections::HashMap;
use std::fmt;

/// A row below the header that is no row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderRow {
    /// Where it begins, from 1 on.
    pub line: usize,
    /// What it is.
    pub why: Below,
}

/// What a row below the header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {
    /// Qualtrics writes `{"ImportId": …}` under each name.
    ImportIds,
    /// What stands between the header and those: the questions.
    Questions,
    /// `object`, `int64`, `<chr>` …
    Types,
    /// The second of two rows of names.
    Names,
    /// The name of the index, in a row of its own.
    IndexName,
    /// Units, a survey's questions, or names once more.
    Units,
}

impl fmt::Display for HeaderRow {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let what = match self.why {
            Below::ImportIds => "holds Qualtrics' import ids and is left out",
            Below::Questions => "holds the questions above Qualtrics' import ids and is left out",
            Below::Types => "holds the columns' types and is left out",
            Below::Names => "is a second row of names: it is read as part of the header",
            Below::IndexName => "names the index alone and is left out",
            Below::Units => "holds names, units or questions, no values, and is left out",
        };
        write!(f, "Line {}, below the header, {what}.", self.line)
    }
}

/// Rows below the header that belong to it.
#[derive(Default)]
pub struct Found {
    /// From the second record on, without a gap.
    pub rows: Vec<HeaderRow>,
    /// The header's names, where more than one row gives them.
    pub names: Option<Vec<String>>,
    /// Whether they show by themselves that the first record is a header.
    pub is_certain: bool,
}

/// Rows below which Qualtrics' import ids may stand.
const ABOVE_IDS: usize = 3;

/// Finds the rows below the first record that belong to it, if that is a header.
pub fn find(records: &[Row]) -> Found {
    let told = |row: &Row, why| HeaderRow { line: row.line, why };
    let below = records.get(1..).unwrap_or_default();
    if let Some(ids) = below.iter().take(ABOVE_IDS).position(|row| row.cells.iter().any(|cell| is_import_id(cell))) {
        let mut rows: Vec<HeaderRow> = below[..ids].iter().map(|row| told(row, Below::Questions)).collect();
        rows.push(told(&below[ids], Below::ImportIds));
        return Found { rows, names: None, is_certain: true };
    }
    let mut found = Found::default();
    if let Some(levels) = levels(records) {
        found.rows.extend(levels.second.then(|| told(&below[0], Below::Names)));
        found.rows.extend(levels.index_name.then(|| told(&below[found.rows.len()], Below::IndexName)));
        (found.names, found.is_certain) = (levels.names, true);
    }
    // The next row, above those that must not look like it.
    if let Some((row, rest)) = below.get(found.rows.len()..).and_then(<[Row]>::split_first) {
        let header = &records[0];
        if are_types(row, rest) {
            found.rows.push(told(row, Below::Types));
        } else if found.rows.is_empty() && are_units(header, row, rest) {
            found.rows.push(told(row, Below::Units));
        }
    }
    found
}

/// Whether the first record names columns, where these rows below it are no rows.
pub fn is_header_of(records: &[Row], found: &Found) -> bool {
    if found.is_certain || found.rows.is_empty() {
        return found.is_certain || is_header(records);
    }
    let below = records.iter().skip(1 + found.rows.len());
    is_header(&records.iter().take(1).chain(below).cloned().collect::<Vec<Row>>())
}

fn is_import_id(cell: &str) -> bool {
    let begins = cell.trim_start().strip_prefix('{').map(|rest| rest.trim_start_matches([' ', '"', '\'', '\\']));
    begins.is_some_and(|rest| rest.starts_with("ImportId"))
}

/// The cells of a column that hold something.
pub fn values(rows: &[Row], column: usize) -> impl Iterator<Item = &str> {
    rows.iter().filter_map(move |row| row.cells.get(column)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
}

/// Whether a row names the type of each column, and none of these comes again.
fn are_types(row: &Row, rest: &[Row]) -> bool {
    let filled = row.cells.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
    let are = filled.clone().all(|(i, cell)| is_type(cell) && values(rest, i).all(|value| value != cell.trim()));
    are && filled.count() >= 2 && !rest.is_empty()
}

/// Names of types in pandas, polars, R and databases, without their sizes.
const TYPES: [&str; 38] = [
    "object",
    "string",
    "str",
    "category",
    "categorical",
    "enum",
    "bool",
    "boolean",
    "int",
    "integer",
    "bigint",
    "uint",
    "float",
    "double",
    "decimal",
    "real",
    "numeric",
    "complex",
    "text",
    "varchar",
    "nvarchar",
    "char",
    "date",
    "datetime",
    "timestamp",
    "timedelta",
    "chr",
    "character",
    "fct",
    "factor",
    "dbl",
    "lgl",
    "logical",
    "dttm",
    "i",
    "u",
    "f",
    "utf",
];

fn is_type(cell: &str) -> bool {
    let cell = cell.trim().trim_start_matches('<').trim_end_matches('>').to_lowercase();
    // `datetime64[ns, UTC]`, `varchar(255)`.
    let plain = cell.split(['[', '(']).next().unwrap_or_default();
    let stem = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    TYPES.contains(&stem) && (stem.len() > 1 && stem != "utf" || stem.len() < plain.len())
}

/// Units and kinds of values, as a row below a header has them.
const UNITS: [&str; 66] = [
    "string",
    "text",
    "str",
    "free text",
    "freetext",
    "open text",
    "sentence",
    "words",
    "category",
    "categorical",
    "nominal",
    "ordinal",
    "class",
    "label",
    "factor",
    "number",
    "numeric",
    "integer",
    "int",
    "float",
    "real",
    "bool",
    "boolean",
    "binary",
    "date",
    "datetime",
    "time",
    "year",
    "id",
    "identifier",
    "index",
    "count",
    "unit",
    "units",
    "%",
    "percent",
    "°",
    "°c",
    "°f",
    "k",
    "s",
    "ms",
    "sec",
    "seconds",
    "min",
    "minutes",
    "h",
    "hours",
    "days",
    "kg",
    "g",
    "lb",
    "m",
    "cm",
    "mm",
    "km",
    "usd",
    "eur",
    "gbp",
    "$",
    "€",
    "£",
    "stars",
    "points",
    "score",
    "characters",
];
/// Words with which questions and requests begin.
const ASKS: [&str; 21] = [
    "how", "what", "which", "who", "why", "where", "when", "is", "are", "do", "does", "did", "was", "were", "would",
    "please", "rate", "select", "choose", "indicate", "describe",
];
/// What stands where a value is missing.
const MISSING: [&str; 13] = ["-", "–", "—", ".", "?", "na", "n/a", "nan", "null", "none", "nil", "unknown", "missing"];

fn is_unit(cell: &str) -> bool {
    let cell = cell.to_lowercase();
    is_bracketed(&cell) || UNITS.contains(&cell.as_str())
}

fn is_bracketed(cell: &str) -> bool {
    [('(', ')'), ('[', ']'), ('<', '>')]
        .iter()
        .any(|(opens, closes)| cell.len() > 2 && cell.starts_with(*opens) && cell.ends_with(*closes))
}

/// Whether a row right below the header holds units or questions: in a column of few values that come again its
/// cell comes once, in no such column it comes again, and a cell is written as no value is.
fn are_units(header: &Row, row: &Row, rest: &[Row]) -> bool {
    if rest.len() < MIN_ROWS {
        return false;
    }
    let (mut once, mut telling) = (Vec::new(), Vec::new());
    let (mut filled, mut units) = (0, 0);
    for (i, cell) in row.cells.iter().enumerate() {
        let cell = cell.trim();
        if cell.is_empty() || MISSING.contains(&cell.to_lowercase().as_str()) {
            continue;
        }
        filled += 1;
        units += usize::from(is_unit(cell));
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let (mut n, mut numbers) = (0, 0);
        for value in values(rest, i) {
            n += 1;
            numbers += usize::from(is_number(value));
            if counts.len() <= MAX_LABELS {
                *counts.entry(value).or_default() += 1;
            }
        }
        let are_numbers = n >= MIN_ROWS && numbers == n;
        let are_few = n >= MIN_ROWS && counts.len() <= MAX_LABELS && n >= 2 * counts.len();
        if counts.contains_key(cell) || (are_numbers && is_number(cell)) {
            return false;
        }
        if are_few {
            once.push(i);
            let name = header.cells.get(i).map_or("", |name| name.trim());
            if is_bracketed(cell) || is_question(cell, name, counts.keys().copied()) {
                telling.push(i);
                continue;
            }
        }
        let is_word = is_bracketed(cell) || !cell.contains(|c: char| c.is_ascii_digit());
        // One column alone could hold a label that is a word among numbers.
        if are_numbers && is_word {
            telling.push(usize::MAX - i);
        }
    }
    let is_told = |o: &usize| telling.iter().any(|t| *t != usize::MAX - *o);
    once.iter().any(is_told) || (!once.is_empty() && filled >= 2 && units == filled)
}

/// Whether a cell asks for what stands below it: as no other value of its column it ends with a question mark, or
/// has three words or more and begins like a question, or names the column, or is a name that labels go by.
fn is_question<'a>(cell: &str, name: &str, mut values: impl Iterator<Item = &'a str>) -> bool {
    let words = |text: &str| text.split_whitespace().count();
    let lower = cell.to_lowercase();
    let word = |text: &str| text.trim_matches(|c: char| !c.is_alphanumeric()).to_string();
    let begins = lower.split_whitespace().next().map(word).unwrap_or_default();
    let name = name.to_lowercase();
    let is_named = !name.is_empty() && lower.split_whitespace().any(|part| word(part) == name);
    let denies = ["no", "not", "without", "other", "mixed", "non"].contains(&begins.as_str());
    let is_long = words(cell) >= 3 && (ASKS.contains(&begins.as_str()) || (is_named && !denies));
    let ends = cell.ends_with('?') || is_long || lower == name || is_label(cell);
    ends && values.all(|value| !value.ends_with('?') && words(value) < words(cell).max(2))
}

#[cfg(test)]
mod tests {
    use super::super::{Dropped, Table, Wish, read, read_as};
    use super::*;

    fn table(text: &str) -> Table {
        match read("a.csv", text.as_bytes()) {
            Ok(Dropped::Table(table)) => table,
            other => panic!("{text}: {other:?}"),
        }
    }

    /// Columns, rows, and the lines that belong to the header.
    fn of(text: &str) -> (Vec<String>, usize, Vec<(usize, Below)>) {
        let table = table(text);
        (table.columns, table.rows.len(), table.notes.below.iter().map(|row| (row.line, row.why)).collect())
    }

    const ROWS: &str = "4,A day out,good\n5,Rain,bad\n6,A lake,good\n7,No lunch,bad\n8,A walk,good\n9,Snow,bad\n";

    #[test]
    fn qualtrics_questions_and_import_ids_are_left_out_and_told() {
        let ids = |names: [&str; 3]| names.map(|name| format!("\"{{\"\"ImportId\"\":\"\"{name}\"\"}}\"")).join(",");
        for (header, question, n) in [
            ("Duration,Q1,Q2", "\"Duration (in\nseconds)\",What happened?,How was it?\n", 1),
            ("ResponseId,Q7_TEXT,Q8", "Response ID,Tell us - Text,Mood\nx,y,z\n", 2),
            ("a,b,c", "", 0),
        ] {
            let (columns, rows, below) = of(&format!("{header}\n{question}{}\n{ROWS}", ids(["_id", "QID1", "QID2"])));
            assert_eq!((columns.join(","), rows), (header.to_string(), 6));
            let whys: Vec<Below> = below.iter().map(|(_, why)| *why).collect();
            assert_eq!(whys, [vec![Below::Questions; n], vec![Below::ImportIds]].concat(), "{header}");
        }
        let said = table(&format!("Q0,Q1,Q2\nNo,What?,How?\n{}\n{ROWS}", ids(["a", "b", "c"]))).notes.sentences();
        assert_eq!(said[1], "Line 3, below the header, holds Qualtrics' import ids and is left out.");
        assert!(said[0].starts_with("Line 2, below the header, holds the questions above"), "{said:?}");
    }

    #[test]
    fn two_rows_of_names_are_one_header() {
        for (header, columns, below) in [
            // pandas, with an index: unnamed, named in a row of its own, and with named levels.
            (",review,review\n,text,label\n", "column 1,text,label", vec![(2, Below::Names)]),
            (",review,review\n,text,label\nid,,\n", "id,text,label", vec![(2, Below::Names), (3, Below::IndexName)]),
            (
                "part,review,review\nfield,said,felt\nid,,\n",
                "id,said,felt",
                vec![(2, Below::Names), (3, Below::IndexName)],
            ),
            // Without one; repeats left blank as in a sheet's joined cells; names that repeat below.
            ("meta,review,review\nid,text,label\n", "id,text,label", vec![(2, Below::Names)]),
            ("review,,meta\nn,message,class\n", "n,message,class", vec![(2, Below::Names)]),
            ("a,b,b\nx,text,x\n", "a x,text,b x", vec![(2, Below::Names)]),
            // The index's name alone.
            (",said,felt\nid,,\n", "id,said,felt", vec![(2, Below::IndexName)]),
        ] {
            let (names, rows, found) = of(&format!("{header}{ROWS}"));
            assert_eq!((names.join(","), rows, found), (columns.to_string(), 6, below), "{header}");
        }
        let (names, rows, _) = of("said,score,score\n,mean,std\nA day,1,2\nRain,3,4\nA lake,5,6\nSnow,7,8\n");
        assert_eq!((names.join(","), rows), ("said,mean,std".to_string(), 4));
    }

    #[test]
    fn repeated_names_above_rows_are_no_second_header() {
        for text in [
            format!("x,x,x\n{ROWS}"),
            format!("id,,mood\n{ROWS}"),
            format!("id,remark,remark\n3,Sun,odd\n{ROWS}"),
            "said,felt,felt\nA day,good,bad\nRain,bad,good\nSnow,bad,bad\nSun,good,good\n".to_string(),
        ] {
            assert_eq!(of(&text).2, [], "{text}");
        }
    }

    #[test]
    fn types_and_units_below_a_header_are_left_out_and_told() {
        for (second, why) in [
            ("int64,object,object", Below::Types),
            ("int64,string,category", Below::Types),
            ("<dbl>,<chr>,<fct>", Below::Types),
            ("Int32,varchar(255),text", Below::Types),
            ("i64,Utf8,datetime64[ns]", Below::Types),
            ("number,free text,class", Below::Units),
            ("-,(open),(one of two)", Below::Units),
            ("kg,what they wrote,their opinion", Below::Units),
            ("-,Tell us,How do you feel?", Below::Units),
            (",Write it down,Please choose one", Below::Units),
            ("Nr,Remark,Feel", Below::Units),
            ("-,Text of the remark,Sentiment", Below::Units),
            ("-,Comment,Class", Below::Units),
        ] {
            let text = format!("nr,remark,feel\n{second}\n{ROWS}");
            assert_eq!(of(&text), (["nr", "remark", "feel"].map(String::from).into(), 6, vec![(2, why)]), "{second}");
            let wish = Wish { table: None, header: Some(false) };
            let Ok(Dropped::Table(all)) = read_as("a.csv", text.as_bytes(), wish) else { panic!("{second}") };
            assert_eq!((all.rows.len(), all.notes.below.len()), (8, 0), "{second}");
        }
    }

    #[test]
    fn a_row_that_could_be_one_stays() {
        for second in [
            "3,Sun,odd",
            "3,What happened?,odd",
            "3,object,object",
            "3,text,no feel",
            "-,Sun,no feel at all",
            "n/a,Sun,odd",
            "3,(laughs),odd",
            ",Sun,mixed",
        ] {
            assert_eq!(of(&format!("nr,remark,feel\n{second}\n{ROWS}")).2, [], "{second}");
        }
        // Words that come again are labels, and so is one elsewhere.
        assert_eq!(of(&format!("nr,remark,feel\nint,string,category\n{ROWS}8,A string,category\n")).2, []);
        assert_eq!(of(&format!("nr,remark,feel\n{ROWS}int,string,category\n")).1, 7);
        // Among numbers a word may be a label.
        let numbers = "remark,felt\nSun,none of them\nRain,0\nSnow,1\nA lake,0\nA day,1\n";
        assert_eq!(of(numbers).2, []);
    }
}
