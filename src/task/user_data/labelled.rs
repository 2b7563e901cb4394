//! Texts with labels, cleaned and split into training and held-out rows.

use super::error::UserDataError;
use super::limits::{MAX_HELD_OUT, MAX_LABELS, MIN_ROWS};
use super::row::Row;
use super::table::Table;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// Texts with labels, in an order drawn by the seed: any first part of either list is a fair sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledSplit {
    /// The commonest first.
    pub labels: Vec<String>,
    /// (label, text)
    pub training: Vec<(usize, String)>,
    /// (label, text); about a fifth of each label's rows, none of a label with one row.
    pub held_out: Vec<(usize, String)>,
    /// How many rows are in neither, and why.
    pub left_out: LeftOut,
}

/// Rows that are not used, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The cell of the text is empty.
    pub without_text: usize,
    /// The cell of the label is empty.
    pub without_label: usize,
    /// The same text and label as an earlier row.
    pub repeated: usize,
    /// The text of an earlier row with another label.
    pub contradicting: usize,
}

impl LeftOut {
    /// Rows that are not used.
    pub fn total(&self) -> usize {
        self.without_text + self.without_label + self.repeated + self.contradicting
    }
}

pub(super) struct Pair {
    pub label: String,
    pub text: String,
}

/// Takes the texts and labels of two columns; the same seed splits the same way everywhere.
pub fn labelled(table: &Table, text: usize, label: usize, seed: u64) -> Result<LabelledSplit, UserDataError> {
    let columns = table.columns.len();
    if let Some(column) = [text, label].into_iter().find(|column| *column >= columns) {
        return Err(UserDataError::NoColumn { column: column + 1, columns });
    }
    let column = table.columns[label].clone();
    if text == label {
        return Err(UserDataError::SameColumn { column });
    }
    let (mut pairs, left_out) = usable(&table.rows, text, label);
    if pairs.len() < MIN_ROWS {
        return Err(UserDataError::TooFewRows { usable: pairs.len(), rows: table.rows.len() });
    }
    let (labels, counts) = by_frequency(&pairs);
    if labels.len() == 1 {
        return Err(UserDataError::OneLabel { label: labels[0].clone() });
    }
    if labels.len() > MAX_LABELS {
        let suggestion = table.guess().map(|(_, likely)| table.columns[likely].clone());
        return Err(UserDataError::TooManyLabels { column, labels: labels.len(), suggestion });
    }
    let shares = held_out_shares(&counts);
    if shares.iter().all(|share| *share == 0) {
        return Err(UserDataError::OnlySingles { column });
    }
    shuffle(&mut pairs, seed);
    let (training, held_out) = split(pairs, &labels, shares);
    Ok(LabelledSplit { labels, training, held_out, left_out })
}

/// Rows with a text and a label, each text once.
pub(super) fn usable(rows: &[Row], text: usize, label: usize) -> (Vec<Pair>, LeftOut) {
    let cell = |row: &Row, column: usize| row.cells.get(column).map_or_else(String::new, |cell| single_blanks(cell));
    let mut pairs: Vec<Pair> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut left_out = LeftOut::default();
    for row in rows {
        let (text, label) = (cell(row, text), cell(row, label));
        if text.is_empty() {
            left_out.without_text += 1;
        } else if label.is_empty() {
            left_out.without_label += 1;
        } else if let Some(place) = places.get(&text) {
            let same = pairs[*place].label == label;
            *(if same { &mut left_out.repeated } else { &mut left_out.contradicting }) += 1;
        } else {
            places.insert(text.clone(), pairs.len());
            pairs.push(Pair { label, text });
        }
    }
    (pairs, left_out)
}

/// A text with single blanks between its words, and none around them.
pub fn single_blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The labels with their numbers of rows: the commonest first, then by name.
fn by_frequency(pairs: &[Pair]) -> (Vec<String>, Vec<usize>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for pair in pairs {
        *counts.entry(&pair.label).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts.into_iter().map(|(label, count)| (label.to_string(), count)).unzip()
}

/// How many rows of each label are held out: a fifth of all, shared by largest remainder among labels with
/// two rows or more.
fn held_out_shares(counts: &[usize]) -> Vec<usize> {
    // 64 bits: the products outgrow the browser's `usize`.
    let counts: Vec<u64> = counts.iter().map(|count| if *count < 2 { 0 } else { *count as u64 }).collect();
    let all: u64 = counts.iter().sum();
    if all == 0 {
        return vec![0; counts.len()];
    }
    let held_out = ((all + 2) / 5).clamp(1, MAX_HELD_OUT as u64);
    let mut shares: Vec<u64> = counts.iter().map(|count| held_out * count / all).collect();
    let missing = held_out - shares.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|i| Reverse(held_out * counts[*i] % all));
    for i in order.into_iter().take(missing as usize) {
        shares[i] += 1;
    }
    shares.into_iter().map(|share| share as usize).collect()
}

/// (label, text)
type Rows = Vec<(usize, String)>;

/// Training and held-out rows: of each label the first ones are held out.
fn split(pairs: Vec<Pair>, labels: &[String], mut shares: Vec<usize>) -> (Rows, Rows) {
    let places: HashMap<&str, usize> = labels.iter().map(String::as_str).zip(0..).collect();
    let (mut training, mut held_out) = (Vec::new(), Vec::new());
    for pair in pairs {
        let place = places[pair.label.as_str()];
        if shares[place] > 0 {
            shares[place] -= 1;
            held_out.push((place, pair.text));
        } else {
            training.push((place, pair.text));
        }
    }
    (training, held_out)
}

/// Fisher–Yates with SplitMix64: written out, so that no release of a library changes the split.
pub(super) fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // The bias of a remainder is far below what this many rows could show.
        items.swap(last, (z % (last as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: impl IntoIterator<Item = (String, &'static str)>) -> Table {
        let row = |((text, label), line): ((String, &str), _)| Row { line, cells: vec![text, label.into()] };
        Table {
            columns: vec!["text".into(), "label".into()],
            rows: rows.into_iter().zip(1..).map(row).collect(),
            ..Table::default()
        }
    }

    fn of(counts: &[(&'static str, usize)]) -> Table {
        table(counts.iter().flat_map(|(label, n)| (0..*n).map(move |i| (format!("{label} text {i}"), *label))))
    }

    fn held_out_of_each(data: &LabelledSplit) -> Vec<usize> {
        (0..data.labels.len()).map(|label| data.held_out.iter().filter(|(l, _)| *l == label).count()).collect()
    }

    #[test]
    fn a_fifth_of_each_label_is_held_out() {
        let data = labelled(&of(&[("rare", 1), ("b", 10), ("a", 10), ("common", 40)]), 0, 1, 7).unwrap();
        assert_eq!(data.labels, ["common", "a", "b", "rare"]);
        assert_eq!(held_out_of_each(&data), [8, 2, 2, 0]);
        assert_eq!(data.training.len(), 61 - 12);
        assert_eq!(data.left_out, LeftOut::default());
    }

    #[test]
    fn at_least_one_and_at_most_a_thousand_are_held_out() {
        let few = labelled(&of(&[("a", 2), ("b", 1), ("c", 1)]), 0, 1, 0).unwrap();
        assert_eq!(held_out_of_each(&few), [1, 0, 0]);
        let many = labelled(&of(&[("a", 9000), ("b", 3000)]), 0, 1, 0).unwrap();
        assert_eq!(held_out_of_each(&many), [750, 250]);
    }

    #[test]
    fn the_seed_alone_decides_the_split() {
        let table = of(&[("a", 30), ("b", 30)]);
        let split = |seed| labelled(&table, 0, 1, seed).unwrap();
        assert_eq!(split(1), split(1));
        assert_ne!(split(1).held_out, split(2).held_out);
        let mut numbers: Vec<u32> = (0..8).collect();
        shuffle(&mut numbers, 0);
        assert_eq!(numbers, [2, 5, 0, 3, 4, 6, 1, 7]);
    }

    #[test]
    fn rows_that_say_nothing_new_are_left_out_and_counted() {
        let rows = ["one", " one\n", "o  ne", "o ne", "one", "", "two", "three"];
        let labels = ["a", "a ", "a", "a", "b", "a", " ", "b"];
        let data = labelled(&table(rows.map(String::from).into_iter().zip(labels)), 0, 1, 0);
        assert_eq!(data.unwrap_err(), UserDataError::TooFewRows { usable: 3, rows: 8 });
        let more = rows.iter().zip(labels).map(|(text, label)| (text.to_string(), label));
        let data = labelled(&table(more.chain([("four".to_string(), "b")])), 0, 1, 0).unwrap();
        let left_out = LeftOut { without_text: 1, without_label: 1, repeated: 2, contradicting: 1 };
        assert_eq!((data.left_out, data.left_out.total()), (left_out, 5));
        assert!(data.training.iter().chain(&data.held_out).any(|(label, text)| *label == 0 && text == "o ne"));
    }

    #[test]
    fn labels_that_cannot_be_learnt_are_refused() {
        let refused = |table: &Table| labelled(table, 0, 1, 0).unwrap_err().to_string();
        let one = refused(&of(&[("good", 9)]));
        assert!(one.starts_with("Every row has the label “good”"), "{one}");
        let singles = refused(&of(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]));
        assert!(singles.starts_with("No two rows have the same value in “label”"), "{singles}");
        let few = refused(&of(&[("a", 1), ("b", 1)]));
        assert!(few.starts_with("2 of 2 rows can be used, and 4 are needed"), "{few}");
    }

    #[test]
    fn too_many_labels_are_refused_with_another_column_s_name() {
        let mut table = of(&[("good", 20), ("bad", 20)]);
        let swapped = labelled(&table, 1, 0, 0).unwrap_err().to_string();
        assert_eq!(
            swapped,
            "2 of 40 rows can be used, and 4 are needed: add rows that have both a text and a label, each text once."
        );
        table.columns.push("topic".into());
        for (row, i) in table.rows.iter_mut().zip(0..) {
            row.cells.push(format!("topic {i}"));
        }
        let many = labelled(&table, 0, 2, 0).unwrap_err().to_string();
        let message = "The column “topic” has 40 different values, and at most 20 labels can be learnt: ";
        assert_eq!(many, format!("{message}is “label” the label?"));
        table.rows.iter_mut().for_each(|row| row.cells[1] = "same".into());
        assert_eq!(labelled(&table, 0, 2, 0).unwrap_err().to_string(), format!("{message}choose a column with fewer."));
    }

    #[test]
    fn columns_that_are_not_there_or_the_same_are_refused() {
        let table = of(&[("a", 4), ("b", 4)]);
        let refused = |text, label| labelled(&table, text, label, 0).unwrap_err().to_string();
        assert_eq!(refused(0, 2), "There is no column 3: the table has 2 columns.");
        assert!(refused(1, 1).starts_with("“label” cannot be both"));
    }
}
