//! Language modelling: make the base write like one author. Windows of a book, every next token predicted.

use super::Example;
use crate::base::{Fault, read_json, shorten};
use serde::{Deserialize, Serialize};

/// Tokens of a window, the last of which is only predicted.
pub const WINDOW: usize = 97;
/// Tokens of a held-out text that begin a sample, and that the base then writes.
pub const OPENING: usize = 20;
/// Tokens that the base writes of such a sample.
pub const SAMPLE: usize = 44;
/// The file of its texts.
pub const FILE: &str = "data/style.json";

/// Names of the authors in URL and flags, in the order of the file.
pub const AUTHORS: [(&str, &str); 7] = [
    ("dickens", "Charles Dickens"),
    ("stoker", "Bram Stoker"),
    ("doyle", "Arthur Conan Doyle"),
    ("twain", "Mark Twain"),
    ("dumas", "Alexandre Dumas"),
    ("homer", "Homer, in Pope's verse"),
    ("verne", "Jules Verne"),
];

/// The place of an author in [`AUTHORS`].
pub fn parse(text: &str) -> Result<usize, Fault> {
    AUTHORS.iter().position(|(name, _)| *name == text.trim()).ok_or_else(|| {
        let names = AUTHORS.map(|(name, _)| name).join(", ");
        Fault::new("author", format!("There is no author “{}”: {names}.", shorten(text)))
    })
}

/// The contents of `data/style.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Texts {
    /// In the order of [`AUTHORS`]; one alone is a visitor's text.
    pub authors: Vec<AuthorText>,
    /// Where the texts are from, and their licence.
    #[serde(default)]
    pub source: String,
}

/// An author's text, in a part to train on and one to judge by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorText {
    /// The book, or a visitor's file.
    pub title: String,
    /// What is trained on.
    pub training: String,
    /// What the base is judged by.
    pub held_out: String,
}

impl Texts {
    /// Reads and checks the file.
    pub fn from_json(text: &str) -> Result<Texts, String> {
        let texts: Texts = read_json(text).map_err(|e| format!("it is not readable: {e}"))?;
        // One alone is a visitor's own text.
        if ![1, AUTHORS.len()].contains(&texts.authors.len()) {
            return Err(format!("it has {} authors, not {}", texts.authors.len(), AUTHORS.len()));
        }
        Ok(texts)
    }
}

/// Windows of a text that follow each other, each beginning with the last token of the one before.
pub fn windows(tokens: &[u32]) -> Vec<Example> {
    let n = tokens.len().saturating_sub(1) / (WINDOW - 1);
    let window = |i: usize| tokens[i * (WINDOW - 1)..=(i + 1) * (WINDOW - 1)].to_vec();
    (0..n).map(|i| Example { tokens: window(i), answer: WINDOW - 1 }).collect()
}

/// The share of next tokens that the commonest successor of each token in `training` gives in `held_out`: a
/// bigram model; and that of always naming the commonest token.
pub fn bigram(training: &[u32], held_out: &[u32]) -> (f64, f64) {
    use std::collections::HashMap;
    let mut single: HashMap<u32, usize> = HashMap::new();
    let mut pairs: HashMap<(u32, u32), usize> = HashMap::new();
    for pair in training.windows(2) {
        *single.entry(pair[1]).or_default() += 1;
        *pairs.entry((pair[0], pair[1])).or_default() += 1;
    }
    // Of equals the lower id, so that the figure is the same everywhere.
    let commonest = single.iter().max_by_key(|(t, n)| (**n, std::cmp::Reverse(**t))).map_or(0, |(t, _)| *t);
    let mut best: HashMap<u32, (usize, u32)> = HashMap::new();
    for ((a, b), n) in pairs {
        let entry = best.entry(a).or_insert((0, b));
        if n > entry.0 || (n == entry.0 && b < entry.1) {
            *entry = (n, b);
        }
    }
    let guess = |a: u32| best.get(&a).map_or(commonest, |(_, b)| *b);
    let n = held_out.len().saturating_sub(1).max(1) as f64;
    let share = |right: &dyn Fn(&[u32]) -> bool| held_out.windows(2).filter(|p| right(p)).count() as f64 / n;
    (share(&|p| guess(p[0]) == p[1]), share(&|p| commonest == p[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_predict_every_token_once() {
        let tokens: Vec<u32> = (0..300).collect();
        let windows = windows(&tokens);
        assert_eq!(windows.len(), 3);
        let predicted: Vec<u32> = windows.iter().flat_map(|w| w.tokens[w.tokens.len() - w.answer..].to_vec()).collect();
        assert_eq!(predicted, (1..=288).collect::<Vec<u32>>());
        assert!(super::windows(&tokens[..WINDOW - 1]).is_empty());
    }

    #[test]
    fn a_bigram_model_knows_what_follows() {
        // 1 2 3 1 2 3 …: the successor is always known, the commonest token a third.
        let tokens: Vec<u32> = (0..301).map(|i| i % 3).collect();
        assert_eq!(bigram(&tokens, &tokens).0, 1.0);
        assert!((bigram(&tokens, &tokens).1 - 1.0 / 3.0).abs() < 0.01);
        assert_eq!(bigram(&[], &[]), (0.0, 0.0));
    }

    #[test]
    fn authors_are_found_by_name() {
        assert_eq!(parse("twain"), Ok(3));
        assert!(parse("Joyce").unwrap_err().message.contains("dickens"));
    }
}
