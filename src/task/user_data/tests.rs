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
    assert_eq!(table("a.tsv", csv).columns, ["text,label"]);
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
    (1_usize..5).prop_flat_map(move |n| prop::collection::vec(prop::collection::vec(cell, n), 1..8))
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

proptest! {
    #[test]
    fn any_table_that_is_written_reads_back(
        records in records(), tabs in any::<bool>(), crlf in any::<bool>(), mark in any::<bool>(),
    ) {
        prop_assume!(!records[0][0].starts_with('\u{feff}'));
        // One column with semicolons in it may as well be several.
        prop_assume!(records[0].len() > 1 || !records[0][0].contains(';'));
        let (name, separator) = if tabs { ("a.tsv", b'\t') } else { ("a.csv", b',') };
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut file = if mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
        file.extend(written(&records, separator, end));
        let Dropped::Table(table) = read(name, &file).unwrap() else { panic!("not a table") };
        let mut found: Vec<Vec<String>> = table.rows.into_iter().map(|row| row.cells).collect();
        if found.len() < records.len() {
            let header: Vec<&str> = records[0].iter().map(|cell| cell.trim()).collect();
            prop_assert_eq!(table.columns, header);
            found.insert(0, records[0].clone());
        }
        prop_assert_eq!(found, records);
    }

    #[test]
    fn any_bytes_give_data_or_a_message(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[\\[\\]{}:,\"a1\t\r\n \u{feff}é]{0,60}".prop_map(String::into_bytes),
            "(\\{\"[ab]\":(1|null|\"x\"|\\[\\])(,\"[ab]\":1)?\\}[,\r\n]{0,2}){0,6}".prop_map(|text| format!("[{text}").into_bytes()),
            "(\\{\"[ab]\":(1|null|\"x\"|\\[\\])\\}[\r\n ]{0,2}){0,6}".prop_map(String::into_bytes),
        ],
        name in prop::sample::select(vec!["", "a.txt", "a.csv", "a.tsv", "a.jsonl", "a.json", "a.zip"]),
    ) {
        match read(name, &bytes) {
            Ok(Dropped::Text(text)) => prop_assert!(!text.trim().is_empty()),
            Ok(Dropped::Table(table)) => {
                prop_assert!(table.rows.iter().all(|row| row.cells.len() == table.columns.len()));
                prop_assert!(table.rows.is_sorted_by_key(|row| row.line));
                if let Some((text, label)) = table.guess() {
                    let _ = labelled(&table, text, label, 0);
                }
            }
            Err(e) => prop_assert!(!e.to_string().is_empty()),
        }
    }

    #[test]
    fn no_row_is_both_trained_and_tested_on(rows in rows(), seed in any::<u64>()) {
        let cells = rows.into_iter().map(|(text, label)| vec![text, label]);
        let rows: Vec<Row> = cells.zip(1..).map(|(cells, line)| Row { line, cells }).collect();
        let table = Table { columns: vec!["text".into(), "label".into()], rows };
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
        let (training, held_out) = text_split(&text).unwrap();
        let (all, tested) = (text.trim().chars().count(), held_out.chars().count());
        prop_assert!(tested >= 200 && tested >= all / 10 && tested <= all / 10 * 2);
        prop_assert_eq!(training + &held_out, text.trim());
    }
}
