//! Values between separators, quoted as RFC 4180 has it: comma, semicolon, tab or vertical bar, whichever makes
//! rows of one length.

use super::decode::Lines;
use super::error::UserDataError;
use super::header::above;
use super::limits::{MAX_CELLS, MIN_ROWS};
use super::names::is_known;
use super::notes::Notes;
use super::quotes::{Stray, stray};
use super::row::Row;
use super::separator::{Separator, named};
use super::table::Table;
use std::collections::HashSet;

/// Records that are looked at where nothing tells the separator.
const LOOKED_AT: usize = 20;

fn reader(text: &str, separator: Separator, quoting: bool) -> csv::Reader<&[u8]> {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(separator.0).quoting(quoting);
    builder.from_reader(text.as_bytes())
}

/// The first records, without line numbers.
fn first_records(text: &str, separator: Separator, quoting: bool, n: usize) -> Vec<Row> {
    let records = reader(text, separator, quoting).into_records().take(n).flatten();
    records.map(|record| Row { line: 0, cells: record.iter().map(String::from).collect() }).collect()
}

/// Whether the first records, two or more, have the same number of cells, two or more.
pub fn looks_like(text: &str) -> bool {
    let fits = |separator: &Separator| {
        let records = first_records(text, *separator, true, LOOKED_AT);
        // A semicolon separates only where commas do not.
        let is_alone = separator.0 != b';' || first_records(text, Separator::COMMA, true, 1).iter().all(is_single);
        records.len() >= 2 && !is_single(&records[0]) && is_alone && same_length(&records)
    };
    named(text).is_some() || Separator::KNOWN.iter().any(fits)
}

/// Whether a text is a table as R's `write.table` has it where nothing else is asked for: quoted names with blanks
/// between them, above rows of one cell more.
pub fn is_of_r(text: &str) -> bool {
    let quoted = text.split(['\n', '\r']).next().is_some_and(are_quoted);
    quoted
        && count(text, Separator::BLANK, true).is_some()
        && short_header(&first_records(text, Separator::BLANK, true, LOOKED_AT))
}

/// Whether a tab stands in every line, equally often, as where Excel saves a table as Unicode text.
pub fn is_tabbed(text: &str) -> bool {
    let is_table = |quoting| count(text, Separator::TAB, quoting).is_some_and(|(records, _)| records >= MIN_ROWS);
    named(text).is_some() || (text.contains('\t') && (is_table(false) || is_table(true)))
}

fn is_single(row: &Row) -> bool {
    row.cells.len() == 1
}

fn same_length(rows: &[Row]) -> bool {
    rows.windows(2).all(|pair| pair[0].cells.len() == pair[1].cells.len())
}

/// The separator that makes rows of one length, two cells or more. Of several one under which the header has a
/// name for each, then one under which it has a known name, then one without lines above the table, then the
/// usual one. A blank separates where all names are quoted, as R writes them.
fn find(text: &str, usual: Separator) -> Separator {
    let others = Separator::KNOWN.into_iter().filter(|separator| *separator != usual);
    let candidates: Vec<Separator> = std::iter::once(usual).chain(others).collect();
    let rank = |(place, separator): (usize, &Separator)| {
        let readings = [true, false].into_iter().take(if *separator == Separator::TAB { 2 } else { 1 });
        let fits = readings.filter_map(|quoting| {
            let rows = first_records(text, *separator, quoting, LOOKED_AT);
            let above = above(&rows, None);
            let table = &rows[above..];
            let is_short = short_header(table);
            let fits = table.len() >= 2 && !is_single(&table[0]) && (same_length(table) || is_short);
            fits.then(|| (is_short, !table[0].cells.iter().any(|cell| is_known(cell)), above, place))
        });
        fits.min()
    };
    if let Some((.., place)) = candidates.iter().enumerate().filter_map(rank).min() {
        return candidates[place];
    }
    if is_of_r(text) {
        return Separator::BLANK;
    }
    // None does: the one that separates the first record, so that the row which differs is told.
    let cells =
        |separator: &Separator| first_records(text, *separator, true, 1).first().map_or(0, |row| row.cells.len());
    candidates.into_iter().find(|separator| cells(separator) > 1).unwrap_or(usual)
}

/// Whether a line is quoted names with single blanks between them.
fn are_quoted(line: &str) -> bool {
    let names = line.strip_prefix('"').and_then(|line| line.strip_suffix('"'));
    names.is_some_and(|names| names.split("\" \"").count() > 1 && names.split("\" \"").all(|name| !name.contains('"')))
}

/// Whether the header has a name less than all other rows have cells, as R's `write.table` leaves out the name of
/// its first column. That holds names of rows: no two are the same, and where they are no numbers no cell behind
/// one begins with a blank, as it would behind a comma of a text.
fn short_header(table: &[Row]) -> bool {
    let Some((header, rows)) = table.split_first() else { return false };
    let columns = header.cells.len() + 1;
    if header.cells.len() < 2 || rows.len() < 2 || rows.iter().any(|row| row.cells.len() != columns) {
        return false;
    }
    let mut seen = HashSet::new();
    let are_names = rows.iter().all(|row| !row.cells[0].trim().is_empty() && seen.insert(row.cells[0].trim()));
    let are_numbers = || seen.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let begins = |row: &Row| row.cells[1].starts_with(' ');
    // Spreadsheets end rows with the separator of an empty column.
    let ends = rows.iter().any(|row| row.cells.last().is_some_and(|cell| !cell.trim().is_empty()));
    are_names && ends && (are_numbers() || !rows.iter().any(begins))
}

/// How many records there are, lines above the table included, and of how many cells, if all rows have the
/// same number, two or more.
fn count(text: &str, separator: Separator, quoting: bool) -> Option<(usize, usize)> {
    let first = first_records(text, separator, quoting, LOOKED_AT);
    let above = above(&first, None);
    // Half of a quoted cell is no title.
    if !quoting && first[..above].iter().flat_map(|row| &row.cells).any(|cell| cell.contains('"')) {
        return None;
    }
    let columns = first.get(above)?.cells.len();
    let records = reader(text, separator, quoting).into_records();
    let lengths: Vec<usize> = records.map(|record| record.map_or(0, |record| record.len())).collect();
    let rows = lengths.get(above + 1..).unwrap_or_default();
    // A header without the name of R's first column is a cell shorter.
    let columns = columns + usize::from(short_header(&first[above..]));
    (columns > 1 && rows.iter().all(|n| *n == columns)).then_some((lengths.len(), columns))
}

/// Whether quotes are letters: in a table with tabs, where lines are rows of one length and quotes would join
/// some, or would end within a cell.
fn are_letters(text: &str, separator: Separator) -> bool {
    if separator != Separator::TAB || !text.contains('"') {
        return false;
    }
    let Some((lines, columns)) = count(text, separator, false) else { return false };
    stray(text, separator).is_some()
        || count(text, separator, true).is_none_or(|(records, cells)| cells == columns && records != lines)
}

/// Reads a table; `usual` separates where nothing tells otherwise. `header` says whether the first row names
/// the columns; without it that is found out.
pub fn read(text: &str, usual: Separator, header: Option<bool>) -> Result<Table, UserDataError> {
    let named = named(text);
    let begin = named.map_or(0, |(_, next)| next);
    let separator = named.map_or_else(|| find(text, usual), |(separator, _)| separator);
    let quotes_are_letters = are_letters(&text[begin..], separator);
    if !quotes_are_letters && let Some(stray) = stray(&text[begin..], separator) {
        return Err(stray_fault(text, begin, separator, stray));
    }
    let mut rows = records(text, begin, separator, !quotes_are_letters)?;
    let titles = above(&rows, header);
    rows.drain(..titles);
    let row_names = header != Some(false) && short_header(&rows);
    if row_names {
        rows.iter_mut().skip(1).for_each(|row| drop(row.cells.remove(0)));
    }
    check_lengths(&mut rows, separator)?;
    let above = titles + usize::from(named.is_some());
    let notes = Notes { separator: Some(separator), above, quotes_are_letters, row_names, ..Notes::default() };
    // Where rows have names, the first names columns.
    Table::with_header(rows, header.or(row_names.then_some(true)), notes)
}

fn stray_fault(text: &str, begin: usize, separator: Separator, stray: Stray) -> UserDataError {
    let mut lines = Lines::new(text.as_bytes());
    match stray {
        Stray::Open(at) => UserDataError::UnclosedQuote { line: lines.at(begin + at) },
        Stray::Within(opened, behind) => {
            let line = lines.at(begin + opened);
            UserDataError::QuoteWithin { line, closes: lines.at(begin + behind), separator }
        }
    }
}

/// All records behind the offset `begin`, of whatever length.
fn records(text: &str, begin: usize, separator: Separator, quoting: bool) -> Result<Vec<Row>, UserDataError> {
    let mut reader = reader(&text[begin..], separator, quoting);
    let mut lines = Lines::new(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let (mut rows, mut cells): (Vec<Row>, usize) = (Vec::new(), 0);
    loop {
        let line = lines.at(skip_blank_lines(text, begin as u64 + reader.position().byte()));
        // The bytes are a string's, and are cut at ASCII: this cannot fail.
        if !reader.read_record(&mut record).map_err(|_| UserDataError::Encoding { line })? {
            return if rows.is_empty() { Err(UserDataError::Empty) } else { Ok(rows) };
        }
        cells += record.len();
        if cells > MAX_CELLS {
            return Err(UserDataError::TooManyCells { line });
        }
        rows.push(Row { line, cells: record.iter().map(String::from).collect() });
    }
}

/// All rows are as long as the first. What longer ones have behind it may be empty: spreadsheets write the
/// separators of empty columns.
fn check_lengths(rows: &mut [Row], separator: Separator) -> Result<(), UserDataError> {
    let Some((first, rest)) = rows.split_first_mut() else { return Err(UserDataError::Empty) };
    let columns = first.cells.len();
    for row in rest {
        if row.cells.iter().skip(columns).all(|cell| cell.trim().is_empty()) {
            row.cells.truncate(columns);
        }
        if row.cells.len() != columns {
            let cells = row.cells.len();
            return Err(UserDataError::Ragged { line: row.line, cells, columns, first: first.line, separator });
        }
    }
    Ok(())
}

/// Where the next record begins: the reader stops before the `\n` of `\r\n`, and skips empty lines.
fn skip_blank_lines(text: &str, at: u64) -> usize {
    let at = text.len().min(at as usize);
    at + text.as_bytes()[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(table: &Table) -> Vec<usize> {
        table.rows.iter().map(|row| row.line).collect()
    }

    fn refused(text: &str) -> String {
        read(text, Separator::COMMA, None).unwrap_err().to_string()
    }

    #[test]
    fn quotes_hold_commas_line_breaks_and_quotes() {
        let table = read("text,label\n\"one, \"\"two\"\"\nthree\",a\nfour,b\n", Separator::COMMA, None).unwrap();
        assert_eq!(table.columns, ["text", "label"]);
        assert_eq!(table.rows[0], Row { line: 2, cells: vec!["one, \"two\"\nthree".into(), "a".into()] });
        assert_eq!(table.rows[1], Row { line: 4, cells: vec!["four".into(), "b".into()] });
    }

    #[test]
    fn rows_know_their_line_whatever_ends_it() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["", "text,label", "one,a", "", "\"t", "wo\",b", "three,a"].join(end);
            assert_eq!(lines(&read(&text, Separator::COMMA, None).unwrap()), [3, 5, 7], "{end:?}");
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
        let tabs = read("one\ta\ntwo\tb\tc", Separator::TAB, None).unwrap_err().to_string();
        assert!(tabs.ends_with("is there a tab outside quotes?"), "{tabs}");
    }

    #[test]
    fn a_quote_that_is_never_closed_is_refused_with_its_line() {
        for text in ["label,text\na,one\nb,\"two\na,three\nb,four\n", "text\none\n\"two", "\""] {
            let line = text.lines().position(|l| l.contains('"')).unwrap() + 1;
            assert_eq!(
                read(text, Separator::COMMA, None).unwrap_err(),
                UserDataError::UnclosedQuote { line },
                "{text}"
            );
        }
        assert!(refused("\"").contains("opens on line 1"));
        for text in ["a,5\" disk", "a,\"\"", "a,\"b\"\"\"\r\n\r\n", "a,b\"", "\"a\",b\r", "a\n\u{feff}\n"] {
            assert!(read(text, Separator::COMMA, None).is_ok(), "{text}");
        }
    }

    #[test]
    fn too_many_cells_are_refused() {
        let text = "a".to_string() + &",".repeat(MAX_CELLS / 2 - 1) + "\n";
        assert_eq!(table(&text.repeat(2)).columns, ["column 1"]);
        let refused = read(&text.repeat(3), Separator::COMMA, None);
        assert_eq!(refused.unwrap_err(), UserDataError::TooManyCells { line: 3 });
    }

    #[test]
    fn a_file_without_records_is_refused() {
        for text in ["", "\n\r\n"] {
            assert_eq!(read(text, Separator::COMMA, None).unwrap_err(), UserDataError::Empty);
        }
    }

    fn table(text: &str) -> Table {
        read(text, Separator::COMMA, None).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn whatever_separates_rows_of_one_length_is_found() {
        for separator in ["\t", "|", ";", ","] {
            let rows = [["remark", "mood"], ["Good day", "a"], ["Bad: \"yes\"", "b"], ["Rain", "a"]];
            let text: String = rows.iter().map(|row| row.join(separator) + "\n").collect();
            for usual in Separator::KNOWN {
                let table = read(&text, usual, None).unwrap();
                assert_eq!(table.columns, ["remark", "mood"], "{text}");
                assert_eq!(table.notes.separator, Some(Separator(separator.as_bytes()[0])));
            }
        }
        // The usual one wins where it fits, but for a known name under another.
        assert_eq!(table("a,x;b\nc,d;e\n").columns, ["a", "x;b"]);
        assert_eq!(table("a,x;label\nc,d;e\n").columns, ["a,x", "label"]);
        assert_eq!(table("one\ntwo\n").columns, ["one"]);
    }

    #[test]
    fn a_line_that_names_the_separator_is_followed_and_left_out() {
        for (text, line) in [("sep=;\nremark;mood\na, b;c\n", 3), ("sep=^\r\n\r\nremark^mood\r\na, b^c", 4)] {
            let table = table(text);
            assert_eq!(table.columns, ["remark", "mood"]);
            assert_eq!(table.rows, [Row { line, cells: ["a, b", "c"].map(String::from).into() }]);
            assert_eq!(table.notes.above, 1);
        }
    }

    #[test]
    fn a_quote_that_closes_within_a_cell_is_refused_with_the_line_of_both() {
        let text = "remark,mood\n\"one, two,a\nthree,b\n\"four\",a\n";
        let refused = read(text, Separator::COMMA, None).unwrap_err();
        assert_eq!(refused, UserDataError::QuoteWithin { line: 2, closes: 4, separator: Separator::COMMA });
        assert!(refused.to_string().starts_with("The quote that opens on line 2 closes on line 4 within a cell"));
        let same = read("sep=;\na;b\n\"c\" d;e\n", Separator::COMMA, None).unwrap_err();
        assert!(same.to_string().starts_with("The quote that opens on line 3 closes within a cell"), "{same}");
    }

    #[test]
    fn quotes_between_tabs_are_letters_where_lines_are_rows() {
        let of = |text: &str| read(text, Separator::TAB, None).unwrap();
        let stray = of("spam\t\"Win a lake\nham\tSee you\nham\t\"No\" she said\nspam\t\"Yes\"\n");
        assert_eq!(stray.rows.iter().map(|row| row.cells[1].as_str()).collect::<Vec<_>>()[2], "\"No\" she said");
        assert!(stray.notes.quotes_are_letters && stray.rows.len() == 4);
        // Two that would close at a line's end, and join what is between.
        let joined = of("ham\t\"One\nspam\ttwo\nham\tthree\"\nspam\tfour\n");
        assert_eq!((joined.rows.len(), joined.rows[0].cells[1].as_str()), (4, "\"One"));
        // Quotes that hold a tab, a line or a quote are quotes.
        let quoted = of("remark\tmood\n\"one\ttwo\"\ta\n\"three\nfour\"\tb\n\"\"\"five\"\"\"\tb\n");
        assert_eq!(quoted.rows[2].cells[0], "\"five\"");
        assert!(!quoted.notes.quotes_are_letters && quoted.rows.len() == 3);
        // Neither way fits.
        assert!(read("a\tb\n\"c\" d\te\tf\n", Separator::TAB, None).is_err());
    }

    #[test]
    fn a_header_without_the_name_of_the_row_names_is_read_as_r_writes_it() {
        for text in [
            "remark\tmood\n1\tA day, out\tgood\n2\tRain\tbad\n3\tA lake\tgood\n",
            "\"remark\",\"mood\"\n\"1\",\" A day, out\",\"good\"\n\"2\",\"Rain\",\"bad\"\n\"7\",\"A lake\",\"good\"\n",
            "remark;mood\nann;A day, out;good\nbob;Rain;bad\ncy;A lake;good\n",
            "\"remark\" \"mood\"\n\"1\" \"A day, out\" \"good\"\n\"2\" \"Rain\" \"bad\"\n\"3\" \"A lake\" \"good\"\n",
        ] {
            for usual in [Separator::COMMA, Separator::TAB] {
                let table = read(text, usual, None).unwrap_or_else(|e| panic!("{text}: {e}"));
                assert_eq!(table.columns, ["remark", "mood"], "{text}");
                assert_eq!(
                    table.rows[0].cells.iter().map(|cell| cell.trim()).collect::<Vec<_>>(),
                    ["A day, out", "good"]
                );
                assert_eq!((table.rows[2].line, table.notes.row_names), (4, true));
                assert!(table.notes.sentences().iter().any(|said| said.contains("names of rows as R writes them")));
            }
        }
        assert!(is_tabbed("a\tb\n1\tc\td\n2\te\tf\n3\tg\th\n"));
        assert!(is_of_r("\"a\" \"b\"\n\"1\" \"c d\" 0\n\"2\" \"e\" 1\n"));
        assert!(
            !is_of_r("\"Well\" \"no\"\nhe said\nto her\n") && !is_of_r("\"a\" \"b\"\n\"1\" \"c\" 0\n\"2\" \"e\"\n")
        );
        // A comma in each text is none of R's, nor is one row that differs.
        for text in [
            "remark,mood\nGood, really,a\nBad, really,b\nNot, really,a\n",
            "remark,mood\n1,one,a\n2,two\n3,three,a\n",
            "remark,mood\n1,one,a\n1,two,b\n1,three,a\n",
        ] {
            assert!(refused(text).starts_with("Line 2 has 3 cells where the first line has 2"), "{}", refused(text));
        }
    }

    #[test]
    fn empty_cells_behind_a_row_s_end_are_no_columns() {
        let table = table("remark,mood\none,a,\ntwo,b,, \n");
        assert!(table.rows.iter().all(|row| row.cells.len() == 2));
        let ragged = read("A title\nremark,mood\none,a\ntwo\n", Separator::COMMA, None).unwrap_err().to_string();
        assert!(ragged.starts_with("Line 4 has 1 cell where line 2 has 2"), "{ragged}");
    }
}
