//! What was taken of a table, left out and cut, in words.

use super::labelled::LabelledSplit;
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
pub fn left_out(split: &LabelledSplit) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::super::labelled::LeftOut;
    use super::*;

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
