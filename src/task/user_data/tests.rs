#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]

use super::*;
use proptest::prelude::*;

fn table(name: &str, text: &str) -> Table {
    match read(name, text.as_bytes()) {
        Ok(Dropped::Table(table)) => table,
        other => panic!("{name} {text}: {other:?}"),
    }
}

#[test]
fn a_name_s_ending_decides() {
    let csv = "text,label\none,a\ntwo,b\n";
    assert_eq!(read("notes.TXT", csv.as_bytes()), Ok(Dropped::Text(csv.into())));
    assert_eq!(table("a.CSV", csv).columns, ["text", "label"]);
    assert_eq!(table("a.tsv", csv).columns, ["text", "label"]);
    assert_eq!(table("a.tsv", "text\tlabel\none, two\ta").columns, ["text", "label"]);
    for name in ["a.json", "a.jsonl", "a.ndjson"] {
        assert_eq!(table(name, "{\"text\":1}\r\n{\"text\":2}").rows[1].line, 2);
        assert_eq!(table(name, " [{\"text\":1},\r\n{\"text\":2}]").rows[1].line, 2);
    }
}

#[test]
fn pasted_data_and_unknown_endings_are_looked_at() {
    for name in ["", "data", "data.log"] {
        assert_eq!(table(name, "\n{\"a,b\":1,\"c\":2}\n{\"a,b\":1}").columns, ["a,b", "c"]);
        assert_eq!(table(name, "[ {\"a\":1} ]").columns, ["a"]);
        assert_eq!(table(name, "text\tlabel\none, two\ta\nthree\tb").columns, ["text", "label"]);
        assert_eq!(table(name, "text,label\n\"one, two\",a\nthree,b").columns, ["text", "label"]);
        for text in ["Hello, world.", "Once, there was\na king.", "one\ntwo", "[1] A note.", "{x} is a set.\n{y} too."]
        {
            assert_eq!(read(name, text.as_bytes()), Ok(Dropped::Text(text.into())));
        }
    }
}

#[test]
fn only_the_first_records_are_looked_at() {
    let text = "one,a\n".repeat(20) + "two,b,c\n";
    assert!(matches!(read("", text.as_bytes()), Err(UserDataError::Ragged { line: 21, cells: 3, columns: 2, .. })));
}

#[test]
fn a_text_s_lines_end_with_a_newline() {
    assert_eq!(read("a.txt", b"\xef\xbb\xbfone\r\ntwo\rthree"), Ok(Dropped::Text("one\ntwo\nthree".into())));
}

#[test]
fn too_much_and_nothing_are_refused() {
    assert!(read("a.txt", &vec![b'a'; MAX_BYTES]).is_ok());
    let refused = read("a.txt", &vec![b'a'; MAX_BYTES + 1]).unwrap_err();
    assert_eq!(refused.to_string(), "This is 10.1 MB, and at most 10 MB can be read: give a part of it.");
    for name in ["", "a.txt", "a.csv", "a.jsonl", "a.json"] {
        assert_eq!(read(name, b"\n").unwrap_err(), UserDataError::Empty);
    }
}

/// What the csv crate writes.
fn written(records: &[Vec<String>], separator: u8, end: csv::Terminator) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).terminator(end).from_writer(Vec::new());
    for record in records {
        writer.write_record(record).unwrap();
    }
    writer.into_inner().unwrap()
}

fn records() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cell = "[^\0]{0,6}|[ab\",;\t\r\n ']{0,6}|[a-c]|[0-9]{1,2}";
    (2_usize..5).prop_flat_map(move |n| prop::collection::vec(prop::collection::vec(cell, n), 1..8))
}

fn rows() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(("[a-d \n]{0,3}|[a-z]{1,4}", " ?[a-e]{0,1}"), 0..80)
}

#[test]
fn semicolons_separate_where_the_first_line_has_no_comma() {
    for name in ["a.csv", ""] {
        let Dropped::Table(table) = read(name, b"text;label\nGood, really;a\n\"Bad; worse\";b\n").unwrap() else {
            panic!()
        };
        assert_eq!((table.columns.len(), table.rows[1].cells[0].as_str()), (2, "Bad; worse"));
        let Dropped::Table(table) = read(name, b"text,label\na;b,c\nd;e,f\n").unwrap() else { panic!() };
        assert_eq!(table.rows[0].cells, ["a;b", "c"]);
    }
    let ragged = read("a.csv", b"text;label\na;b\nc;d;e\n").unwrap_err();
    assert!(ragged.to_string().contains("Line 3"), "{ragged}");
}

#[test]
fn a_text_with_a_tab_in_every_line_is_a_table_and_either_may_be_wished_for() {
    let rows = "good\tWhat a day\nbad\tSuch rain\ngood\tThe lake\nbad\tNo lunch\n";
    let utf16: Vec<u8> = "\u{feff}".encode_utf16().chain(rows.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [rows.as_bytes(), &utf16] {
        let Ok(Dropped::Table(table)) = read("a.txt", bytes) else { panic!() };
        assert_eq!((table.rows.len(), table.guess()), (4, Some((1, 0))));
        let as_text = read_as("a.txt", bytes, Wish { table: Some(false), header: None });
        assert_eq!(as_text, Ok(Dropped::Text(rows.into())));
    }
    let csv = "text,label\none,a\ntwo,b\n";
    let Ok(Dropped::Table(table)) = read_as("a.txt", csv.as_bytes(), Wish { table: Some(true), header: None }) else {
        panic!()
    };
    assert_eq!(table.columns, ["text", "label"]);
    let uneven = rows.replace("Such rain", "Such\train");
    assert_eq!(read("a.txt", uneven.as_bytes()), Ok(Dropped::Text(uneven)));
}

#[test]
fn what_stands_in_a_file_s_place_is_told_as_of_a_checkpoint() {
    use crate::model::files::stand_in;
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 84199592\n";
    let page = "\u{feff}\n<!-- saved -->\n<!DOCTYPE html>\n<html><body>Not found, sorry</body></html>\n";
    let mut latin_1 = b"<html><title>caf\xe9</title>".to_vec();
    latin_1.extend(b"\n,\n");
    for name in ["a.csv", "b.TSV", "c.json", "d.jsonl", "e.txt"] {
        for bytes in [pointer.as_bytes(), page.as_bytes(), &latin_1] {
            let fault = read(name, bytes).unwrap_err();
            let head = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
            assert_eq!(fault.to_string(), format!("{}.", stand_in(name, head).unwrap()));
            assert_eq!(fault.about(&format!("folder/{name}")), fault.to_string());
        }
    }
    assert!(read("", page.as_bytes()).is_ok(), "what is pasted may be about HTML");
    assert_eq!(UserDataError::Empty.about("a.csv"), format!("a.csv: {}", UserDataError::Empty));
    assert_eq!(UserDataError::Empty.about(""), UserDataError::Empty.to_string());
}

/// Rows that a table holds and those that it says it left out.
fn accounted(table: &Table) -> usize {
    let notes = &table.notes;
    table.rows.len()
        + notes.above
        + notes.repeated_headers
        + notes.below.len()
        + usize::from(notes.header == Some(true))
}

/// As many inputs as `PROPTEST_CASES` says; 10⁶ were tried once.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    ProptestConfig { cases, max_global_rejects: cases.max(1024), ..ProptestConfig::default() }
}

/// A header of names, numbers, blanks and repeats.
fn header() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("|text|label|mood|[0-9]|[a-c]", 2..5)
}

/// Pieces that tables are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "sep=;\n",
        "sep=|\n",
        "text",
        "label",
        "good",
        "1",
        ",",
        ";",
        "\t",
        "|",
        "\n",
        "\r\n",
        "\"",
        "\"\"",
        " ",
        "#",
        "é",
        ",,",
        "# title\n",
        "text,label\n",
        "a,b\n",
        "a\tb\n",
        "a,a\n",
        "x,1,good\n",
        "object,int64\n",
        "string,category\n",
        "\"{\"\"ImportId\"\":\"\"QID1\"\"}\",\"{\"\"ImportId\"\":\"\"QID2\"\"}\"\n",
        "1\tx\tgood\n",
        "\"text\" \"label\"\n",
        "\"1\" \"a day\" \"good\"\n",
        "<!DOCTYPE html>\n",
        "version https://git-lfs.github.com/spec/v1\n",
        "\"a\",b\n",
        "\"a\nb\",c\n",
    ]);
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// JSON in pieces: whole layouts, and what breaks them.
fn json_pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\n",
        " ",
        "\"a\"",
        "\"text\"",
        "\"row\"",
        "\"data\"",
        "\"columns\"",
        "\"0\"",
        "\"1\"",
        "1",
        "null",
        "true",
        "\"é\"",
        "[1,2]",
        "{\"a\":1,\"b\":2}",
        "{\"0\":1,\"1\":2}",
        "\"data\":[",
        "\"row\":{",
        "\"event\":",
        "\"label\":[1]",
        "\"label\":{\"a\":1}",
        "\"rows\":[]",
        "[\"a\",\"b\"]",
        "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_table_that_is_written_reads_back(
        records in records(), separator in prop::sample::select(vec![b',', b';', b'\t', b'|']), crlf in any::<bool>(),
        mark in any::<bool>(), header in any::<bool>(),
    ) {
        prop_assume!(!records[0][0].starts_with('\u{feff}'));
        // Between tabs a row with both in its cells may as well be two rows, with quotes for letters.
        let has = |row: &Vec<String>, ends: &[char]| row.iter().any(|cell| cell.contains(ends));
        prop_assume!(separator != b'\t' || !records.iter().any(|row| has(row, &['\t']) && has(row, &['\n', '\r'])));
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut file = if mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
        file.extend(format!("sep={}\n", char::from(separator)).into_bytes());
        file.extend(written(&records, separator, end));
        let wish = Wish { table: Some(true), header: Some(header) };
        let table = match read_as("a.csv", &file, wish) {
            Ok(Dropped::Table(table)) => table,
            // Nothing but blanks.
            Err(UserDataError::Empty) => return Ok(()),
            other => panic!("{other:?}"),
        };
        let titles = table.notes.above - 1;
        let repeated = table.notes.repeated_headers;
        prop_assert_eq!(accounted(&table), records.len() + 1);
        // Rows that belong to the header are told, and have tests of their own.
        if !table.notes.below.is_empty() {
            return Ok(());
        }
        let mut rows = records[titles..].to_vec();
        if header {
            let names: Vec<String> = rows.remove(0).iter().map(|cell| cell.trim().to_string()).collect();
            let is_header = |row: &Vec<String>| row.iter().zip(&names).all(|(cell, name)| cell.trim() == name);
            let before = rows.len();
            rows.retain(|row| !is_header(row));
            prop_assert_eq!(before - rows.len(), repeated);
        }
        // Columns that are empty throughout are gone; the rest is as it was.
        let kept = |cells: &[String]| cells.iter().filter(|cell| !cell.trim().is_empty()).cloned().collect::<Vec<_>>();
        for (found, row) in table.rows.iter().zip(&rows) {
            prop_assert_eq!(kept(&found.cells), kept(row));
        }
        prop_assert_eq!(table.columns.len() + table.notes.empty_columns, records[0].len());
    }

    #[test]
    fn no_row_is_lost_between_titles_headers_and_blank_columns(
        header in header(), rows in 1_usize..30, titles in 0_usize..3, again in 0_usize..3, blanks in 0_usize..3,
        separator in prop::sample::select(vec![",", ";", "\t", "|"]), named in any::<bool>(), quotes in any::<bool>(),
    ) {
        let width = header.len() + blanks;
        let line = |cells: Vec<String>| cells.join(separator) + &separator.repeat(blanks) + "\n";
        let mut text = if named { format!("sep={separator}\n") } else { String::new() };
        (0..titles).for_each(|i| text += &format!("A title {i}{}\n", separator.repeat(width - 1)));
        text += &line(header.clone());
        for i in 0..rows {
            let cell = |column: usize| match column {
                0 if quotes && separator == "\t" => format!("\"row {i}"),
                0 => format!("row {i}"),
                _ => ["good", "bad"][i % 2].to_string(),
            };
            text += &line((0..header.len()).map(cell).collect());
            if i < again {
                text += &line(header.clone());
            }
        }
        let lines = text.lines().count();
        let Ok(Dropped::Table(table)) = read("a.csv", text.as_bytes()) else { panic!("{text}") };
        prop_assert_eq!(accounted(&table), lines, "{}\n{:?}", text, table.notes);
        prop_assert!(table.columns.iter().collect::<std::collections::HashSet<_>>().len() == table.columns.len());
    }

    #[test]
    fn any_bytes_give_data_or_a_message(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[\\[\\]{}:,;|\"a1\t\r\n \u{feff}é]{0,60}".prop_map(String::into_bytes),
            pieces().prop_map(String::into_bytes),
            pieces().prop_map(|text| text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            json_pieces().prop_map(String::into_bytes),
            "(\\{\"[ab]\":(1|null|\"x\"|\\[\\])(,\"[ab]\":1)?\\}[,\r\n]{0,2}){0,6}".prop_map(|text| format!("[{text}").into_bytes()),
            "(\\{\"[ab]\":(1|null|\"x\"|\\[\\])\\}[\r\n ]{0,2}){0,6}".prop_map(String::into_bytes),
        ],
        name in prop::sample::select(vec!["", "a.txt", "a.csv", "a.tsv", "a.jsonl", "a.json", "a.zip"]),
        table in prop::sample::select(vec![None, None, Some(true), Some(false)]),
        header in prop::sample::select(vec![None, None, Some(true), Some(false)]),
    ) {
        let begun = std::time::Instant::now();
        match read_as(name, &bytes, Wish { table, header }) {
            Ok(Dropped::Text(text)) => prop_assert!(!text.trim().is_empty() && table != Some(true)),
            Ok(Dropped::Chats(chats)) => prop_assert!(chats.rows.len() >= 4),
            Ok(Dropped::Table(table)) => {
                prop_assert!(table.rows.iter().all(|row| row.cells.len() == table.columns.len()));
                prop_assert!(table.rows.is_sorted_by_key(|row| row.line) || table.notes.separator.is_none());
                prop_assert!(table.notes.sentences().iter().all(|said| said.ends_with('.')));
                if table.notes.separator.is_some() {
                    let text = decode::decode(&bytes).unwrap();
                    let lines = text.split(['\n', '\r']).filter(|line| !line.is_empty()).count();
                    // Without quotes every line is a row, or is told.
                    if !text.contains('"') || table.notes.quotes_are_letters {
                        prop_assert_eq!(accounted(&table), lines, "{:?}", table);
                    }
                }
                if let Some((text, label)) = table.guess() {
                    let _ = labelled(&table, text, label, 0);
                }
            }
            Err(e) => prop_assert!(!e.to_string().is_empty()),
        }
        prop_assert!(begun.elapsed().as_secs() < 10);
    }

    #[test]
    fn no_row_is_both_trained_and_tested_on(rows in rows(), seed in any::<u64>()) {
        let cells = rows.into_iter().map(|(text, label)| vec![text, label]);
        let rows: Vec<Row> = cells.zip(1..).map(|(cells, line)| Row { line, cells }).collect();
        let table = Table { columns: vec!["text".into(), "label".into()], rows, ..Table::default() };
        let data = match labelled(&table, 0, 1, seed) {
            Ok(data) => data,
            Err(e) => return { prop_assert!(!e.to_string().is_empty()); Ok(()) },
        };
        prop_assert_eq!(data.training.len() + data.held_out.len() + data.left_out.total(), table.rows.len());
        prop_assert!(!data.held_out.is_empty());
        for (label, text) in &data.held_out {
            prop_assert!(data.training.iter().all(|(_, other)| other != text));
            prop_assert!(data.training.iter().any(|(other, _)| other == label));
        }
        for label in 0..data.labels.len() {
            prop_assert!(data.training.iter().any(|(other, _)| *other == label));
        }
    }

    #[test]
    fn a_split_text_is_the_text(part in "[a-cé\n ]{40,80}", times in 60_usize..90) {
        let text = format!("x{part}").repeat(times);
        let (training, held_out) = text_split(&text);
        let (all, tested) = (text.trim().chars().count(), held_out.chars().count());
        prop_assert!(tested >= 200 && tested >= all / 10 && tested <= all / 10 * 2);
        prop_assert_eq!(training + &held_out, text.trim());
    }
}
