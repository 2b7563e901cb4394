//! The data of a classification task: texts and their labels, as `www/data/<task>.json` holds them.

use crate::corpus::Parts;
use anyhow::{Result, ensure};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// (label, text), the labels counted from 0.
pub type Text = (usize, String);

/// The file's contents. Every label has its equal share of both parts.
#[derive(Serialize)]
pub struct Labelled {
    labels: Vec<Label>,
    training: Vec<Text>,
    held_out: Vec<Text>,
    baselines: Baselines,
    source: String,
    /// A text as the bag of words is to see it.
    #[serde(skip)]
    view: fn(&str) -> String,
}

/// A label is a single letter: one token of the bases' tokenizer.
#[derive(Serialize)]
struct Label {
    label: char,
    title: &'static str,
    about: &'static str,
}

#[derive(Serialize)]
struct Baselines {
    chance: f64,
    majority: f64,
    bag_of_words: f64,
}

impl Labelled {
    /// `labels` are (title, about). The bag of words waits for [`Labelled::measure`].
    pub fn new(labels: &[(&'static str, &'static str)], texts: Parts<Vec<Text>>, source: String) -> Labelled {
        // Equal shares: always naming one label is right as often as guessing.
        let chance = 1.0 / labels.len() as f64;
        let labels = labels.iter().zip('A'..).map(|((title, about), label)| Label { label, title, about }).collect();
        let baselines = Baselines { chance, majority: chance, bag_of_words: 0.0 };
        Labelled { labels, training: texts.training, held_out: texts.held_out, baselines, source, view: str::to_string }
    }

    pub fn seen_as(self, view: fn(&str) -> String) -> Labelled {
        Labelled { view, ..self }
    }

    /// Measures what a bag of words makes of the texts. This takes seconds.
    pub fn measure(&mut self) {
        let view = |part: &[Text]| -> Vec<Text> { part.iter().map(|(label, t)| (*label, (self.view)(t))).collect() };
        let (training, held_out) = (view(&self.training), view(&self.held_out));
        self.baselines.bag_of_words = linear_baseline::authors(&training, &held_out, self.labels.len());
    }
}

/// No text twice: neither in one part nor in both.
pub fn separate(columns: Parts<Vec<Vec<String>>>) -> Parts<Vec<Vec<String>>> {
    let mut seen = HashSet::new();
    let mut unique =
        |part: Vec<String>| -> Vec<String> { part.into_iter().filter(|text| seen.insert(text.clone())).collect() };
    // Held-out texts first: what stands in both parts is kept from training.
    let held_out = columns.held_out.into_iter().map(&mut unique).collect();
    let training = columns.training.into_iter().map(&mut unique).collect();
    Parts { training, held_out }
}

/// No text twice in a column, and none that stands in two columns: its label would not be known.
pub fn of_one_label(columns: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let mut labels: HashMap<String, HashSet<usize>> = HashMap::new();
    for (label, text) in columns.iter().enumerate().flat_map(|(i, column)| column.iter().map(move |t| (i, t))) {
        labels.entry(text.clone()).or_default().insert(label);
    }
    // Removing it at its first place drops it at the others.
    let mut first = |text: &String| labels.remove(text).is_some_and(|labels| labels.len() == 1);
    columns.into_iter().map(|column| column.into_iter().filter(|t| first(t)).collect()).collect()
}

/// `n` texts of each column, the columns taking turns: any first part of the list is balanced.
///
/// `short` says what is wrong if a column has too few: it is given the column and its length.
pub fn draw(
    columns: Vec<Vec<String>>,
    n: usize,
    seed: u64,
    short: impl Fn(usize, usize) -> String,
) -> Result<Vec<Text>> {
    let mut drawn = Vec::with_capacity(columns.len());
    for (i, mut texts) in columns.into_iter().enumerate() {
        ensure!(texts.len() >= n, short(i, texts.len()));
        shuffle(&mut texts, seed);
        texts.truncate(n);
        drawn.push(texts);
    }
    Ok(take_turns(drawn))
}

/// Parts of `n` texts of each column, both drawn from the same columns.
pub fn split(
    columns: Vec<Vec<String>>,
    n: &Parts<usize>,
    short: impl Fn(usize, usize) -> String,
) -> Result<Parts<Vec<Text>>> {
    let labels = columns.len();
    let mut training = draw(columns, n.training + n.held_out, 1, short)?;
    let held_out = training.split_off(labels * n.training);
    Ok(Parts { training, held_out })
}

/// One of each column, again and again, while any column has some.
pub fn take_turns<T>(columns: Vec<Vec<T>>) -> Vec<(usize, T)> {
    let turns = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let mut out = Vec::new();
    for _ in 0..turns {
        out.extend(columns.iter_mut().enumerate().filter_map(|(i, column)| Some((i, column.next()?))));
    }
    out
}

/// Fisher–Yates with SplitMix64: written out, so that no release of a library changes the task.
pub fn shuffle(texts: &mut [String], seed: u64) {
    let mut state = seed;
    for last in (1..texts.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // The bias of a remainder is far below what a few thousand sentences could show.
        texts.swap(last, (z % (last as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|i| format!("sentence {i}")).collect()
    }

    fn short(column: usize, length: usize) -> String {
        format!("column {column} has {length}")
    }

    #[test]
    fn a_sentence_of_both_parts_is_only_tested_on() {
        let training = vec![sentences(0..3), [sentences(3..5), sentences(4..6)].concat()];
        let separate = separate(Parts { training, held_out: vec![sentences(2..4), vec![]] });
        assert_eq!(separate.held_out, [sentences(2..4), vec![]]);
        assert_eq!(separate.training, [sentences(0..2), sentences(4..6)]);
    }

    #[test]
    fn a_text_of_two_labels_goes_and_one_said_twice_stays_once() {
        let columns = vec![[sentences(0..3), sentences(0..1)].concat(), sentences(2..4), sentences(2..3)];
        assert_eq!(of_one_label(columns), [sentences(0..2), sentences(3..4), vec![]]);
    }

    #[test]
    fn columns_take_turns_and_the_draw_repeats() {
        let columns: Vec<_> = (0..7).map(|b| sentences(100 * b..100 * b + 50)).collect();
        let drawn = draw(columns.clone(), 40, 1, short).unwrap();
        assert_eq!(drawn, draw(columns.clone(), 40, 1, short).unwrap());
        assert_ne!(drawn, draw(columns, 40, 2, short).unwrap());
        assert_eq!(drawn.len(), 7 * 40);
        assert!(drawn.iter().enumerate().all(|(i, (column, _))| *column == i % 7));
        assert_eq!(drawn.iter().map(|(_, s)| s).collect::<HashSet<_>>().len(), 7 * 40);
    }

    #[test]
    fn a_short_column_is_named() {
        let columns = vec![sentences(0..5), sentences(0..3)];
        assert_eq!(draw(columns, 5, 1, short).unwrap_err().to_string(), "column 1 has 3");
    }

    #[test]
    fn both_parts_of_a_split_are_balanced_and_share_no_text() {
        let columns = vec![sentences(0..20), sentences(20..35)];
        let parts = split(columns, &Parts { training: 10, held_out: 5 }, short).unwrap();
        assert_eq!((parts.training.len(), parts.held_out.len()), (20, 10));
        assert!([&parts.training, &parts.held_out].iter().all(|p| p.iter().enumerate().all(|(i, (l, _))| *l == i % 2)));
        let texts: HashSet<_> = parts.training.iter().chain(&parts.held_out).map(|(_, text)| text).collect();
        assert_eq!(texts.len(), 30);
    }

    #[test]
    fn a_column_that_runs_out_is_passed_over() {
        assert_eq!(take_turns(vec![vec!['a'], vec![], vec!['b', 'c']]), [(0, 'a'), (2, 'b'), (2, 'c')]);
    }

    #[test]
    fn the_file_names_labels_by_letters_and_gives_baselines() {
        let texts = Parts {
            training: vec![(0, "a house".into()), (1, "the sea".into())],
            held_out: vec![(0, "house".into()), (1, "house".into())],
        };
        let mut task = Labelled::new(&[("Land", "dry"), ("Water", "wet")], texts, "made up".into());
        task.measure();
        let json = serde_json::to_value(&task).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "labels": [
                    {"label": "A", "title": "Land", "about": "dry"},
                    {"label": "B", "title": "Water", "about": "wet"},
                ],
                "training": [[0, "a house"], [1, "the sea"]],
                "held_out": [[0, "house"], [1, "house"]],
                "baselines": {"chance": 0.5, "majority": 0.5, "bag_of_words": 0.5},
                "source": "made up",
            })
        );
    }
}
