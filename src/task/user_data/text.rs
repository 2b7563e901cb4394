//! Plain text, split for language modelling.

use super::error::UserDataError;
use super::limits::MIN_CHARACTERS;

/// Characters held out, at least.
const MIN_HELD_OUT: usize = 200;
/// Characters held out, at most: more would make an evaluation longer than the training between two of them.
const MAX_HELD_OUT: usize = 16_000;

/// Splits a text, without the blanks around it, into training and held-out text: the last tenth, 16,000
/// characters at most, and a little more to begin with a paragraph, a line or a word. Together they are the
/// text. Lines end with `\n`, as `read` has it.
pub fn text_split(text: &str) -> Result<(String, String), UserDataError> {
    let text = text.trim();
    let characters = text.chars().count();
    if characters < MIN_CHARACTERS {
        return Err(UserDataError::TooShort { characters });
    }
    let held_out = (characters / 10).clamp(MIN_HELD_OUT, MAX_HELD_OUT);
    let (training, held_out) = text.split_at(cut(text, characters - 2 * held_out, characters - held_out));
    Ok((training.into(), held_out.into()))
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
        let (training, held_out) = text_split(&text).unwrap();
        assert!(training.ends_with("\n\n") && held_out.starts_with("Twenty"));
        assert_eq!(training + &held_out, text.trim());
        assert!((410..=450).contains(&held_out.len()), "{}", held_out.len());
    }

    #[test]
    fn without_paragraphs_lines_count_and_then_words() {
        for (part, begins) in [("A short line.\n", "A short"), ("word ", "word"), ("é", "é")] {
            let (training, held_out) = text_split(&part.repeat(2000)).unwrap();
            assert!(held_out.starts_with(begins) && training.ends_with(part));
        }
        let (training, held_out) = text_split(&"é".repeat(2000)).unwrap();
        assert_eq!((training.chars().count(), held_out.chars().count()), (1800, 200));
    }

    #[test]
    fn a_short_text_is_refused_with_its_length() {
        let refused = text_split(&format!("  {}\n", "é".repeat(1999))).unwrap_err();
        assert_eq!(refused.to_string(), "The text has 1999 characters, and 2000 are needed: add more.");
    }
}
