//! `dialogue`: is this sentence said by somebody, or told by the book? The quotes tell, and are taken away.

use super::{
    books::{Book, cite, columns},
    crates::Crates,
    labelled::{Labelled, Text, separate, shuffle, take_turns},
};
use crate::corpus::{self, Parts};
use anyhow::{Result, ensure};

/// Sentences of each label, at most.
const SENTENCES: Parts<usize> = Parts { training: 1500, held_out: 500 };
const LABELS: [(&str, &str); 2] = [("Speech", "what a character says"), ("Narration", "what the book tells")];
/// What ends in a full stop without ending the sentence.
const TITLES: [&str; 10] = ["Mr", "Mrs", "Messrs", "Dr", "Mme", "Mlle", "St", "Prof", "Capt", "Rev"];
/// What an apostrophe may stand before.
const ELIDED: [&str; 9] = ["tis", "twas", "twere", "em", "bout", "gainst", "midst", "scape", "long"];

pub fn dialogue(books: &[Book], crates: &Crates) -> Result<Labelled> {
    let (speech, narration) = (columns(books, speech), columns(books, narration));
    let both = Parts {
        training: [speech.training, narration.training].concat(),
        held_out: [speech.held_out, narration.held_out].concat(),
    };
    let both = separate(both);
    let texts = Parts {
        training: balanced(both.training, SENTENCES.training, 1),
        held_out: balanced(both.held_out, SENTENCES.held_out, 2),
    };
    ensure!(
        !texts.training.is_empty() && !texts.held_out.is_empty(),
        "The books hold no speech or no narration: their files are not those that data/Cargo.lock pins. Delete the crate \
         scrunch's folder in cargo's registry and run this again."
    );
    Ok(Labelled::new(&LABELS, texts, cite("Sentences", crates)))
}

/// Whole sentences that stand inside a paragraph's quotes.
fn speech(paragraph: &str) -> Vec<&str> {
    quoted(paragraph).into_iter().flat_map(whole_sentences).collect()
}

/// Whole sentences of a paragraph without quotes.
fn narration(paragraph: &str) -> Vec<&str> {
    if paragraph.contains('"') { Vec::new() } else { whole_sentences(paragraph).collect() }
}

/// What stands inside a paragraph's double quotes; nothing if one of them is out of place.
fn quoted(paragraph: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut open = None;
    for (at, _) in paragraph.match_indices('"') {
        let before = paragraph[..at].chars().next_back();
        let after = paragraph[at + 1..].chars().next();
        let may_open = before.is_none_or(|c| " -('".contains(c)) && after.is_some_and(|c| c != ' ');
        let may_close = before.is_some_and(|c| c != ' ') && after.is_none_or(|c| !c.is_alphanumeric());
        open = match open {
            None if may_open => Some(at + 1),
            Some(begin) if may_close => {
                out.push(&paragraph[begin..at]);
                None
            }
            _ => return Vec::new(),
        };
    }
    // Speech that goes on in the next paragraph is not closed.
    out.extend(open.map(|begin| &paragraph[begin..]));
    out
}

/// Usable sentences that begin with a capital and end with a mark.
fn whole_sentences(text: &str) -> impl Iterator<Item = &str> {
    let sentences = corpus::cut(text, ends_in_title).into_iter().map(|s| s.trim_end_matches(['\'', ')']));
    sentences.filter(|s| {
        s.starts_with(char::is_uppercase)
            && s.ends_with(['.', '!', '?'])
            && !ends_in_title(s)
            && s.matches('(').count() == s.matches(')').count()
            && !quotes(s)
            && corpus::SENTENCE.contains(&s.chars().count())
    })
}

/// “He thanked M.” goes on with a name.
fn ends_in_title(text: &str) -> bool {
    let Some(text) = text.strip_suffix('.') else { return false };
    let word = text.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let initial = word != "I" && word.len() == 1 && word.starts_with(|c: char| c.is_ascii_uppercase());
    initial || TITLES.contains(&word)
}

/// Whether the text holds a quotation in single quotes: only speech has them.
fn quotes(text: &str) -> bool {
    let opens = |rest: &str| {
        let word = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
        !word.starts_with(|c: char| c.is_ascii_digit()) && !ELIDED.contains(&word)
    };
    text.split(" '").skip(1).any(opens) || [",'", ".'", "!'", "?'"].iter().any(|closes| text.contains(closes))
}

/// Equal numbers of each label, `most` at most, the labels taking turns. `columns` are the books' speech, then their narration.
fn balanced(columns: Vec<Vec<String>>, most: usize, seed: u64) -> Vec<Text> {
    let books = columns.len() / LABELS.len();
    let mut labels: Vec<Vec<String>> = columns.chunks(books.max(1)).map(|books| mixed(books, seed)).collect();
    let n = labels.iter().map(Vec::len).min().unwrap_or(0).min(most);
    labels.iter_mut().for_each(|texts| texts.truncate(n));
    take_turns(labels)
}

/// The texts of all books, which take turns as long as they have some.
fn mixed(books: &[Vec<String>], seed: u64) -> Vec<String> {
    let mut books = books.to_vec();
    books.iter_mut().for_each(|texts| shuffle(texts, seed));
    take_turns(books).into_iter().map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const SAID: &str = "I have never in my life seen so large a rabbit.";
    const TOLD: &str = "The rabbit had come out of its hole without a sound.";

    #[test]
    fn speech_is_what_stands_in_quotes() {
        let paragraph = format!("\"{SAID} Come,\" said he. {TOLD} \"Well,\" he said--\"{SAID}\" {TOLD}");
        assert_eq!(speech(&paragraph), [SAID, SAID]);
        assert_eq!(narration(&paragraph), Vec::<&str>::new());
        assert_eq!(narration(&format!("{TOLD} No. {TOLD}")), [TOLD, TOLD]);
        assert_eq!(speech(TOLD), Vec::<&str>::new());
    }

    #[test]
    fn speech_may_go_on_in_the_next_paragraph() {
        assert_eq!(quoted("\"One,\" he said, \"and two"), ["One,", "and two"]);
    }

    #[test]
    fn a_paragraph_with_a_quote_out_of_place_gives_nothing() {
        for paragraph in ["One,\" he said", "\"One\"two", "\"'Say \"Pouf!\" to them,' he said", "one \" two \" three"] {
            assert_eq!(quoted(paragraph), Vec::<&str>::new(), "{paragraph}");
        }
    }

    #[test]
    fn only_whole_sentences_are_taken() {
        let taken = |text| whole_sentences(text).count();
        assert_eq!(taken(SAID), 1);
        assert_eq!(taken("and I have never in my life seen so large a rabbit."), 0);
        assert_eq!(taken("I have never in my life seen so large a rabbit--"), 0);
        assert_eq!(taken("I have never (in my life seen so large a rabbit!"), 0);
        assert_eq!(taken("I have never in my life heard 'so large a rabbit,' sir."), 0);
        assert_eq!(taken("So large a rabbit,' he said to us, 'I have never in my life seen."), 0);
        assert_eq!(taken("I don't know 'em and I haven't seen so large a rabbit."), 1);
        let titled = "It was Mr. Phileas Fogg whom J. Forster and M. Verne had seen.";
        assert_eq!(whole_sentences(titled).collect::<Vec<_>>(), [titled]);
        assert_eq!(taken("It was he whom so many of them had seen with Mr."), 0);
        assert_eq!(taken("It was long before he knew so much as I. It was long before he knew so much as I."), 2);
    }

    #[test]
    fn labels_are_equal_and_books_take_turns_while_they_have_some() {
        let texts = |book: &str, n: usize| (0..n).map(|i| format!("{book} {i}")).collect::<Vec<_>>();
        let columns = vec![texts("a", 2), texts("b", 9), texts("c", 1), texts("d", 7)];
        let drawn = balanced(columns.clone(), 100, 1);
        assert_eq!(drawn.len(), 16);
        assert!(drawn.iter().enumerate().all(|(i, (label, _))| *label == i % 2));
        assert_eq!(drawn.iter().map(|(_, text)| text).collect::<HashSet<_>>().len(), 16);
        let order = |label| -> String {
            drawn.iter().filter(|(l, _)| *l == label).filter_map(|(_, text)| text.chars().next()).collect()
        };
        assert_eq!((order(0), order(1)), ("ababbbbb".into(), "cddddddd".into()));
        assert_eq!(balanced(columns, 3, 1).len(), 6);
    }

    #[test]
    fn no_text_stands_in_both_parts() {
        let blocks = (0..40).map(|i| vec![format!("\"{SAID}\""), format!("{TOLD} {i}"), TOLD.to_string()]).collect();
        let source = &super::super::ONLY_PRETRAINED[0];
        let mut parts = columns(&[Book { source, blocks }], speech);
        parts.training[0].push("Another.".into());
        let parts = separate(parts);
        assert_eq!((parts.training, parts.held_out), (vec![vec!["Another.".into()]], vec![vec![SAID.into()]]));
    }
}
