//! Comma- and tab-separated values, quoted as RFC 4180 has it.

use super::decode::Lines;
use super::error::UserDataError;
use super::limits::MAX_CELLS;
use super::table::{Row, Table};

/// Records that are looked at where a name does not tell the format.
const LOOKED_AT: usize = 20;

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes())
}

/// Whether the first records, two or more, have the same number of cells, two or more.
pub fn looks_like(text: &str, separator: u8) -> bool {
    let records = reader(text, separator).into_records().take(LOOKED_AT);
    let cells: Vec<usize> = records.map(|record| record.map_or(0, |r| r.len())).collect();
    cells.len() >= 2 && cells[0] >= 2 && cells.iter().all(|n| *n == cells[0])
}

/// Whether semicolons stand where commas would: spreadsheets write them where the comma is a decimal point.
pub fn has_semicolons(text: &str) -> bool {
    let cells = |separator: u8| {
        reader(text, separator).into_records().next().and_then(Result::ok).map_or(0, |cells| cells.len())
    };
    cells(b',') == 1 && cells(b';') > 1
}

/// Reads a table, with a header line or without.
pub fn read(text: &str, separator: u8) -> Result<Table, UserDataError> {
    let mut reader = reader(text, separator);
    let mut lines = Lines::new(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut rows: Vec<Row> = Vec::new();
    let mut columns = 0;
    loop {
        let at = skip_blank_lines(text, reader.position().byte());
        let line = lines.at(at);
        // The bytes are a string's, and are cut at ASCII: this cannot fail.
        if !reader.read_record(&mut record).map_err(|_| UserDataError::Encoding { line })? {
            break;
        }
        if rows.is_empty() {
            columns = record.len();
        }
        let is_last = reader.position().byte() >= text.len() as u64;
        if is_last && has_unclosed_quote(&text[at..], separator) {
            return Err(UserDataError::UnclosedQuote { line });
        }
        if record.len() != columns {
            let separator = match separator {
                b'\t' => "tab",
                b';' => "semicolon",
                _ => "comma",
            };
            return Err(UserDataError::Ragged { line, cells: record.len(), columns, separator });
        }
        if (rows.len() + 1).saturating_mul(columns) > MAX_CELLS {
            return Err(UserDataError::TooManyCells { line });
        }
        rows.push(Row { line, cells: record.iter().map(String::from).collect() });
    }
    if rows.is_empty() { Err(UserDataError::Empty) } else { Ok(Table::with_header(rows)) }
}

/// Where the next record begins: the reader stops before the `\n` of `\r\n`, and skips empty lines.
fn skip_blank_lines(text: &str, at: u64) -> usize {
    let at = text.len().min(at as usize);
    at + text.as_bytes()[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Whether the last record runs on past the end: what is written behind it becomes part of it.
fn has_unclosed_quote(record: &str, separator: u8) -> bool {
    // A record before it, too: the reader would take U+FEFF at the very beginning for a byte order mark.
    reader(&format!("before\n{record}\nbehind"), separator).into_records().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(table: &Table) -> Vec<usize> {
        table.rows.iter().map(|row| row.line).collect()
    }

    fn refused(text: &str) -> String {
        read(text, b',').unwrap_err().to_string()
    }

    #[test]
    fn quotes_hold_commas_line_breaks_and_quotes() {
        let table = read("text,label\n\"one, \"\"two\"\"\nthree\",a\nfour,b\n", b',').unwrap();
        assert_eq!(table.columns, ["text", "label"]);
        assert_eq!(table.rows[0], Row { line: 2, cells: vec!["one, \"two\"\nthree".into(), "a".into()] });
        assert_eq!(table.rows[1], Row { line: 4, cells: vec!["four".into(), "b".into()] });
    }

    #[test]
    fn rows_know_their_line_whatever_ends_it() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["", "text,label", "one,a", "", "\"t", "wo\",b", "three,a"].join(end);
            assert_eq!(lines(&read(&text, b',').unwrap()), [3, 5, 7], "{end:?}");
        }
    }

    #[test]
    fn a_ragged_row_is_refused_with_its_line() {
        assert_eq!(
            refused("text,label\r\none,a\r\ntwo, three,b\r\n"),
            "Line 3 has 3 cells where the first line has 2: is there a comma outside quotes?"
        );
        assert_eq!(
            refused("text,label\none,a\ntwo\nthree,b"),
            "Line 3 has 1 cell where the first line has 2: is a comma missing, or a quote not closed?"
        );
        let tabs = read("one\ta\ntwo\tb\tc", b'\t').unwrap_err().to_string();
        assert!(tabs.ends_with("is there a tab outside quotes?"), "{tabs}");
    }

    #[test]
    fn a_quote_that_is_never_closed_is_refused_with_its_line() {
        for text in ["label,text\na,one\nb,\"two\na,three\nb,four\n", "text\none\n\"two", "\""] {
            let line = text.lines().position(|l| l.contains('"')).unwrap() + 1;
            assert_eq!(read(text, b',').unwrap_err(), UserDataError::UnclosedQuote { line }, "{text}");
        }
        assert!(refused("\"").contains("begins on line 1"));
        for text in ["a,5\" disk", "a,\"\"", "a,\"b\"\"\"\r\n\r\n", "a,b\"", "\"a\",b\r", "a\n\u{feff}\n"] {
            assert!(read(text, b',').is_ok(), "{text}");
        }
    }

    #[test]
    fn too_many_cells_are_refused() {
        let text = ",".repeat(MAX_CELLS / 2 - 1) + "\n";
        assert!(read(&text.repeat(2), b',').is_ok());
        assert_eq!(read(&text.repeat(3), b',').unwrap_err(), UserDataError::TooManyCells { line: 3 });
    }

    #[test]
    fn a_file_without_records_is_refused() {
        for text in ["", "\n\r\n"] {
            assert_eq!(read(text, b',').unwrap_err(), UserDataError::Empty);
        }
    }
}
