//! Plain text, split for language modelling.

use super::error::UserDataError;
use crate::task::style::WINDOW;
use crate::task::tokenizer::Tokenizer;

/// Characters held out, at least.
const MIN_HELD_OUT: usize = 200;
/// Characters held out, at most: more would make an evaluation longer than the training between two of them.
const MAX_HELD_OUT: usize = 16_000;

/// Windows to train on, at least: one alone would be the same in every batch.
const TRAINED_WINDOWS: usize = 2;

/// Splits a text, without the blanks around it, into training and held-out text: the last tenth, 200 to 16,000
/// characters, and a little more to begin with a paragraph, a line or a word. Together they are the text.
/// Lines end with `\n`, as `read` has it. Whether both parts are long enough says [`check_text`].
pub fn text_split(text: &str) -> (String, String) {
    let text = text.trim();
    let characters = text.chars().count();
    let held_out = (characters / 10).clamp(MIN_HELD_OUT, MAX_HELD_OUT).min(characters);
    let from = characters.saturating_sub(2 * held_out);
    let (training, held_out) = text.split_at(cut(text, from, characters - held_out));
    (training.into(), held_out.into())
}

/// Whether a text is long enough for a base of this tokenizer to train on.
///
/// # Errors
/// Where either part of it fills no window: the tokens that there are, and those that are needed.
pub fn check_text(text: &str, tokenizer: &Tokenizer) -> Result<(), UserDataError> {
    let (training, held_out) = text_split(text);
    let tokens = |part: &str| tokenizer.encode(part).len();
    // A token has a character or more. Of a long text the first part tells enough.
    let first: String = training.chars().take(MAX_HELD_OUT).collect();
    let held_out = tokens(&held_out);
    match check_tokens(tokens(&first), held_out) {
        Ok(()) => Ok(()),
        Err(_) => check_tokens(tokens(&training), held_out),
    }
}

/// Whether the parts of a text, of so many tokens to train on and held out, are long enough: a window to judge
/// by, and some that differ to train on.
pub fn check_tokens(training: usize, held_out: usize) -> Result<(), UserDataError> {
    if training >= TRAINED_WINDOWS * WINDOW && held_out >= WINDOW {
        return Ok(());
    }
    let tokens = training + held_out;
    // The held-out part may have more than its tenth while the text is short.
    let by_share = (tokens * WINDOW).div_ceil(held_out.max(1));
    let needed = by_share.max(10 * WINDOW).next_multiple_of(10);
    Err(UserDataError::TooShort { tokens, needed: if held_out == 0 { 10 * WINDOW } else { needed } })
}

/// Where to cut, from one character to another: behind the last break between paragraphs, lines or words;
/// else at the end.
fn cut(text: &str, from: usize, to: usize) -> usize {
    let offset = |character: usize| text.char_indices().nth(character).map_or(text.len(), |(offset, _)| offset);
    let (from, to) = (offset(from), offset(to));
    let behind = |pattern: &str| text[from..to].rfind(pattern).map(|at| from + at + pattern.len());
    ["\n\n", "\n", " "].into_iter().find_map(behind).unwrap_or(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tenth_is_held_out_from_a_paragraph_on() {
        let paragraph = "Twenty characters. \nTwenty characters. \n\n";
        let text = paragraph.repeat(100);
        let (training, held_out) = text_split(&text);
        assert!(training.ends_with("\n\n") && held_out.starts_with("Twenty"));
        assert_eq!(training + &held_out, text.trim());
        assert!((410..=450).contains(&held_out.len()), "{}", held_out.len());
    }

    #[test]
    fn without_paragraphs_lines_count_and_then_words() {
        for (part, begins) in [("A short line.\n", "A short"), ("word ", "word"), ("é", "é")] {
            let (training, held_out) = text_split(&part.repeat(2000));
            assert!(held_out.starts_with(begins) && training.ends_with(part));
        }
        let (training, held_out) = text_split(&"é".repeat(2000));
        assert_eq!((training.chars().count(), held_out.chars().count()), (1800, 200));
    }

    #[test]
    fn a_text_shorter_than_its_held_out_part_is_split_all_the_same() {
        for (text, training) in [("", ""), ("one two", ""), (&"word ".repeat(60) as &str, "word ")] {
            assert!(text_split(text).0.starts_with(training));
            let (training, held_out) = text_split(text);
            assert_eq!(training + &held_out, text.trim());
        }
    }

    #[test]
    fn a_short_text_is_refused_with_its_tokens_and_those_that_are_needed() {
        let path = format!("{}/www/models/prose-nano/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
        let tokenizer = Tokenizer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
        for (line, times) in [("A walk by the lake, and home again.\n", 50), ("Zwölf Boxkämpfer jagen Viktor. ", 5)] {
            let text = line.repeat(times);
            let refused = check_text(&text, &tokenizer).unwrap_err();
            let UserDataError::TooShort { tokens, needed } = refused else { panic!() };
            assert!(tokens.abs_diff(tokenizer.encode(text.trim()).len()) <= 1 && needed >= 970, "{refused}");
            // With that many and a few more it is long enough.
            let long = line.repeat(times * needed / tokens + times / 5 + 2);
            assert_eq!(check_text(&long, &tokenizer), Ok(()), "{refused}");
        }
        assert_eq!(
            check_tokens(760, 71).unwrap_err().to_string(),
            "The text has 831 tokens as the base reads it, and about 1,140 are needed, since its last tenth is held out: add more."
        );
        assert_eq!(check_tokens(194, 97), Ok(()));
        assert_eq!(check_tokens(193, 397).unwrap_err(), UserDataError::TooShort { tokens: 590, needed: 970 });
    }
}
