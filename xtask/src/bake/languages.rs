//! `language-sentence` and `language-word`: which of six languages is this?

use super::{
    crates::{Crates, not_as_pinned},
    labelled::{Labelled, of_one_label, split},
};
use crate::corpus::{Parts, on_one_line, plain};
use anyhow::{Context, Result};
use std::ops::RangeInclusive;

/// Lines of each language, and characters of a usable one.
const SENTENCES: Parts<usize> = Parts { training: 700, held_out: 150 };
const SENTENCE: RangeInclusive<usize> = 20..=220;
/// Words of each language, and characters of a usable one.
const WORDS: Parts<usize> = Parts { training: 600, held_out: 150 };
const WORD: RangeInclusive<usize> = 3..=20;

struct Language {
    title: &'static str,
    family: &'static str,
    krate: &'static str,
}

const fn language(title: &'static str, family: &'static str, krate: &'static str) -> Language {
    Language { title, family, krate }
}

/// The order is that of the labels.
const LANGUAGES: [Language; 6] = [
    language("English", "Germanic", "lingua-english-language-model"),
    language("German", "Germanic", "lingua-german-language-model"),
    language("French", "Romance", "lingua-french-language-model"),
    language("Portuguese", "Romance", "lingua-portuguese-language-model"),
    language("Italian", "Romance", "lingua-italian-language-model"),
    language("Dutch", "Germanic", "lingua-dutch-language-model"),
];

pub fn sentences(crates: &Crates) -> Result<Labelled> {
    task(crates, "testdata/sentences.txt", sentence, &SENTENCES)
}

/// A bag of words knows no new word: here it is one of letters.
pub fn words(crates: &Crates) -> Result<Labelled> {
    Ok(task(crates, "testdata/single-words.txt", word, &WORDS)?.seen_as(spelled))
}

/// A task of the lines of a file that each language's crate has, as `usable` makes them.
fn task(crates: &Crates, file: &str, usable: fn(&str) -> Option<String>, n: &Parts<usize>) -> Result<Labelled> {
    let column = |language: &Language| {
        let lines = String::from_utf8(crates.read(language.krate, file, language.title)?)
            .with_context(|| format!("{file} of the crate {} is not UTF-8", language.krate))?;
        Ok(lines.lines().filter_map(usable).collect())
    };
    let columns = LANGUAGES.iter().map(column).collect::<Result<Vec<_>>>()?;
    let needed = n.training + n.held_out;
    let short = |i: usize, has: usize| not_as_pinned(LANGUAGES[i].title, LANGUAGES[i].krate, has, needed);
    let texts = split(of_one_label(columns), n, short)?;
    let labels = LANGUAGES.each_ref().map(|language| (language.title, language.family));
    let crates = LANGUAGES.each_ref().map(|language| crates.cite(language.krate)).join(", ");
    Ok(Labelled::new(&labels, texts, format!("{file} of the crates {crates}; licence Apache-2.0.")))
}

/// A line in plain quotes and dashes, which no language then has for itself. One whose encoding was mistaken goes.
fn sentence(line: &str) -> Option<String> {
    // An apostrophe of Windows-1252 that was read as Latin-1.
    let line = on_one_line(&plain(&line.replace('\u{92}', "'")));
    let broken = |c: char| c.is_control() || matches!(c, '\u{ad}' | '\u{200b}' | '\u{feff}' | '\u{fffd}' | 'Ã' | 'Â');
    (SENTENCE.contains(&line.chars().count()) && !line.contains(broken)).then_some(line)
}

/// A word in lower case, of letters alone.
fn word(line: &str) -> Option<String> {
    let word = line.trim().to_lowercase();
    (WORD.contains(&word.chars().count()) && word.chars().all(char::is_alphabetic)).then_some(word)
}

/// Letters as words, begin and end as words too: the bag of words then holds letters and pairs of letters.
fn spelled(word: &str) -> String {
    // Its words have two characters or more, and `_` is one.
    let letters: String = word.chars().map(|c| format!("_{c} ")).collect();
    format!("__ {letters}__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lower_case_letters() {
        assert_eq!(word("Élan "), Some("élan".into()));
        assert_eq!(word("straße"), Some("straße".into()));
        let long = "x".repeat(21);
        for line in ["it", "it's", "a1b2", "two words", "", &long] {
            assert_eq!(word(line), None, "{line}");
        }
    }

    #[test]
    fn sentences_have_plain_quotes_and_a_usable_length() {
        let plain = Some("\"L'ami\" -- c'est lui, dit-elle.".into());
        assert_eq!(sentence("“L\u{92}ami” —  c’est\tlui, dit-elle."), plain);
        assert_eq!(sentence("Nineteen characters"), None);
        assert_eq!(sentence(&"é".repeat(221)), None);
        assert_eq!(sentence(&"é".repeat(220)), Some("é".repeat(220)));
        assert_eq!(sentence("DÃ©cision exÃ©cutoire Ã  portÃ©e"), None);
        assert_eq!(sentence("propria\u{ad}mente dita, a campanha"), None);
    }

    #[test]
    fn a_spelled_word_is_a_bag_of_letters() {
        assert_eq!(spelled("añb"), "__ _a _ñ _b __");
        let texts = |words: [&str; 2]| words.into_iter().enumerate().map(|(i, w)| (i, w.to_string())).collect();
        let texts = Parts { training: texts(["aaab", "bbba"]), held_out: texts(["aaa", "bbb"]) };
        let mut task = Labelled::new(&[("A", ""), ("B", "")], texts, String::new()).seen_as(spelled);
        task.measure();
        assert_eq!(serde_json::to_value(&task).unwrap()["baselines"]["bag_of_words"], 1.0);
    }
}
