//! What was taken of a table, left out and cut, in words.

use super::error::UserDataError;
use super::labelled::{LabelledSplit, single_blanks};
use super::row::Row;
use super::table::Table;
use crate::base::{grouped, shorten};

/// Columns, labels with their rows, and rows that are left out, in one line:
/// `text: text, label: mood (good 96, bad 24); 0 rows left out`.
pub fn taken(table: &Table, text: usize, label: usize, split: &LabelledSplit) -> String {
    let column = |i: usize| table.columns.get(i).map_or_else(String::new, |name| shorten(name));
    let left = split.left_out.total() + table.notes.repeated_headers;
    format!(
        "text: {}, label: {} ({}); {} {} left out",
        column(text),
        column(label),
        labels(split).join(", "),
        grouped(left),
        if left == 1 { "row" } else { "rows" }
    )
}

/// Labels with the number of their rows.
fn labels(split: &LabelledSplit) -> Vec<String> {
    let mut counts = vec![0_usize; split.labels.len()];
    split.training.iter().chain(&split.held_out).for_each(|(label, _)| counts[*label] += 1);
    split.labels.iter().zip(counts).map(|(label, n)| format!("{} {}", shorten(label), grouped(n))).collect()
}

/// Why rows of a table are in neither part; `None` where all are.
fn left_out(split: &LabelledSplit) -> Option<String> {
    let left = &split.left_out;
    let reasons = [
        (left.without_text, "without a text"),
        (left.without_label, "without a label"),
        (left.repeated, "repeated"),
        (left.contradicting, "with another label for the same text"),
    ];
    let reasons: Vec<String> =
        reasons.iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("{} {why}", grouped(*n))).collect();
    (!reasons.is_empty()).then(|| format!("Left out: {}.", reasons.join(", ")))
}

/// All that is said of a table and the columns that are chosen of it, a sentence each: how it was read, what was
/// left out, and what may be a row of its header.
pub fn told(table: &Table, text: usize, label: usize, split: &LabelledSplit) -> Vec<String> {
    let mut said = table.notes.sentences();
    said.extend(left_out(split));
    said.extend(doubt(table, text, label));
    said
}

/// Why nothing can be made of a table's columns; in front of it what is not there to choose, where that may be why.
pub fn refusal(table: &Table, fault: &UserDataError) -> String {
    let chosen = matches!(
        fault,
        UserDataError::NoColumn { .. }
            | UserDataError::TooFewRows { .. }
            | UserDataError::OneLabel { .. }
            | UserDataError::TooManyLabels { .. }
            | UserDataError::OnlySingles { .. }
    );
    let mut said = if chosen { table.notes.missed() } else { Vec::new() };
    said.push(fault.to_string());
    said.join(" ")
}

/// Whether the row right below the header may belong to it: it alone has its label.
fn doubt(table: &Table, text: usize, label: usize) -> Option<String> {
    let (row, rest) = table.rows.split_first().filter(|_| table.notes.header == Some(true))?;
    let cell = |row: &Row, i: usize| row.cells.get(i).map_or_else(String::new, |cell| single_blanks(cell));
    let (of, is_used) = (cell(row, label), !cell(row, text).is_empty());
    let is_alone = !of.is_empty() && rest.iter().all(|row| cell(row, label) != of);
    (is_used && is_alone).then(|| {
        format!(
            "Line {}, right below the header, is the only row with the label “{}”: if it belongs to the header, take it out of the file.",
            row.line,
            shorten(&of)
        )
    })
}

/// How many of some texts are longer than what is read of each; `None` where none is.
pub fn cut_texts(texts: usize, longer: usize, limit: usize) -> Option<String> {
    let (are, their) = if longer == 1 { ("is", "its") } else { ("are", "their") };
    (longer > 0).then(|| {
        format!(
            "Of {} texts {} {are} longer than the {limit} tokens that are read; {their} end is read.",
            grouped(texts),
            grouped(longer)
        )
    })
}

/// That a text is read only in part, with its number of tokens; `None` where all of it is read.
pub fn cut_text(tokens: usize, read: usize) -> Option<String> {
    (read < tokens)
        .then(|| format!("The text has {} tokens, of which the last {} are read.", grouped(tokens), grouped(read)))
}

#[cfg(test)]
mod tests {
    use super::super::labelled::LeftOut;
    use super::super::{Dropped, labelled, read};
    use super::*;

    #[test]
    fn a_label_that_only_the_row_below_the_header_has_is_doubted_aloud() {
        let said = |text: &str| {
            let Ok(Dropped::Table(table)) = read("a.csv", text.as_bytes()) else { panic!("{text}") };
            let split = labelled(&table, 0, 1, 0).unwrap();
            (table.rows.len(), told(&table, 0, 1, &split))
        };
        let rows = "A day,good\nRain,bad\nThe lake,good\nNo lunch,bad\n";
        for (first, label) in [("Something odd,strange", "strange"), ("What they wrote,their feeling", "their feeling")]
        {
            let (n, said) = said(&format!("text,label\n{first}\n{rows}"));
            assert_eq!(n, 5);
            let expected = format!("Line 2, right below the header, is the only row with the label “{label}”: if");
            assert!(said.len() == 1 && said[0].starts_with(&expected), "{said:?}");
        }
        for text in [
            format!("text,label\n{rows}Something odd,strange\n"),
            format!("text,label\n{rows}"),
            format!("text,label\nSomething,odd\nA thing,odd\n{rows}"),
        ] {
            assert!(said(&text).1.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_was_left_out_stands_before_a_refusal() {
        let rows =
            |label: &str| (0..30).map(|i| format!("{{\"remark\":\"a {i}\",\"n\":{i},{label}}}\n")).collect::<String>();
        for (label, said) in [
            ("\"feel\":{\"a\":1}", "“feel” (line 1) holds lists or objects and is left out. The column “n” has 30"),
            (
                "\"tags\":[1,2],\"meta\":{}",
                "“tags” (line 1) and “meta” (line 1) hold lists or objects and are left out. The",
            ),
        ] {
            let Ok(Dropped::Table(table)) = read("a.jsonl", rows(label).as_bytes()) else { panic!("{label}") };
            let refused = refusal(&table, &labelled(&table, 0, 1, 0).unwrap_err());
            assert!(refused.starts_with(said), "{refused}");
        }
    }

    #[test]
    fn a_text_that_is_cut_is_told_with_its_tokens() {
        assert_eq!(cut_text(1300, 96).unwrap(), "The text has 1,300 tokens, of which the last 96 are read.");
        assert_eq!((cut_text(96, 96), cut_text(3, 96)), (None, None));
    }

    #[test]
    fn what_was_taken_is_one_line() {
        let table = Table { columns: ["id", "remark", "mood"].map(String::from).into(), ..Table::default() };
        let row = |label: usize| (label, String::new());
        let left_out = LeftOut { without_label: 1000, repeated: 2, ..LeftOut::default() };
        let mut split = LabelledSplit {
            labels: ["good", "bad"].map(String::from).into(),
            training: vec![row(0), row(1), row(0)],
            held_out: vec![row(0)],
            left_out,
        };
        assert_eq!(taken(&table, 1, 2, &split), "text: remark, label: mood (good 3, bad 1); 1,002 rows left out");
        assert_eq!(super::left_out(&split).unwrap(), "Left out: 1,000 without a label, 2 repeated.");
        split.left_out = LeftOut::default();
        assert!(super::left_out(&split).is_none() && taken(&table, 1, 2, &split).ends_with("0 rows left out"));
    }

    #[test]
    fn texts_that_are_cut_are_told_with_their_number() {
        assert_eq!(
            cut_texts(200, 200, 96).unwrap(),
            "Of 200 texts 200 are longer than the 96 tokens that are read; their end is read."
        );
        assert!(
            cut_texts(4, 1, 24).unwrap().ends_with("1 is longer than the 24 tokens that are read; its end is read.")
        );
        assert_eq!(cut_texts(4, 0, 96), None);
    }
}
