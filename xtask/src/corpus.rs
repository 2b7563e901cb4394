//! From a Project Gutenberg file to sentences: the clean-up that the prose bases were pretrained with.
//!
//! The bases never saw some blocks of each book; which ones, only the same clean-up can tell. So each function here does
//! what its namesake in the recipe (`prose.py`) does, down to what Python calls a blank or a lower-case letter.

use std::borrow::Cow;

/// Blocks that a book is cut into.
const BLOCKS: usize = 40;
/// Front matter: so many paragraphs go from a book that has enough of them.
const FRONT_MATTER: usize = 20;
/// Characters of a usable sentence.
pub const SENTENCE: std::ops::RangeInclusive<usize> = 40..=220;

/// What to train on and what to test on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parts<T> {
    pub training: T,
    pub held_out: T,
}

impl<T> Parts<T> {
    pub fn map<U>(self, mut each: impl FnMut(T) -> U) -> Parts<U> {
        Parts { training: each(self.training), held_out: each(self.held_out) }
    }
}

/// A book's paragraphs, cut into its blocks.
pub fn in_blocks(file: &[u8]) -> Vec<Vec<String>> {
    blocks(paragraphs(&decode(file)), BLOCKS)
}

/// The blocks of a book that are pretrained on, with their numbers: all but those kept for tasks.
pub fn pretraining(blocks: &[Vec<String>]) -> impl Iterator<Item = (usize, &[String])> {
    let numbered = blocks.iter().enumerate().map(|(i, block)| (i, block.as_slice()));
    numbered.filter(|(i, _)| i % 4 != 1 && i % 8 != 3)
}

/// The blocks of a book that no base was pretrained on: 1, 5, 9, … to train on, 3, 11, 19, … to test on.
pub fn kept(blocks: &[Vec<String>]) -> Parts<Vec<&[String]>> {
    let take = |step: usize, first: usize| blocks.iter().skip(first).step_by(step).map(Vec::as_slice).collect();
    Parts { training: take(4, 1), held_out: take(8, 3) }
}

/// A text that no task uses, in `n` blocks.
pub fn whole(file: &[u8], n: usize) -> Vec<Vec<String>> {
    blocks(paragraphs(&decode(file)), n)
}

/// Paragraphs as one text, each with a newline at its end.
pub fn text(paragraphs: &[String]) -> String {
    paragraphs.join("\n") + "\n"
}

/// Python's `open(…, encoding='utf-8-sig', errors='ignore').read()`: no mark at the start, no broken bytes, `\n` alone.
fn decode(file: &[u8]) -> String {
    let valid: String = file.utf8_chunks().map(|chunk| chunk.valid()).collect();
    let text = valid.strip_prefix('\u{feff}').unwrap_or(&valid);
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The book's paragraphs, each on one line, in plain ASCII quotes and dashes; headings and tables are left out.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = split_at_blank_lines(without_licence(text))
        .into_iter()
        .map(|p| on_one_line(&without_brackets(&plain(p))))
        .filter(|p| is_prose(p))
        .collect();
    if paragraphs.len() > 10 * FRONT_MATTER {
        paragraphs.drain(..FRONT_MATTER);
    }
    paragraphs
}

/// What lies between the start and the end mark of a Project Gutenberg file.
fn without_licence(text: &str) -> &str {
    let begin = first_of(text, &["***START OF", "*** START OF"])
        // The mark itself ends at the next three stars.
        .and_then(|(_, after)| text[after..].find("***").map(|at| after + at + 3))
        .unwrap_or(0);
    const ENDS: [&str; 4] = ["***END OF", "*** END OF", "End of Project Gutenberg", "End of the Project Gutenberg"];
    let end = first_of(text, &ENDS).map_or(text.len(), |(at, _)| at);
    text.get(begin..end).unwrap_or("")
}

/// Start and end of the mark that comes first.
fn first_of(text: &str, marks: &[&str]) -> Option<(usize, usize)> {
    marks.iter().filter_map(|mark| text.find(mark).map(|at| (at, at + mark.len()))).min()
}

/// Cuts at `\n\s*\n`.
fn split_at_blank_lines(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut search) = (0, 0);
    while let Some(at) = text[search..].find('\n').map(|at| search + at) {
        let run = at + 1 + blanks(&text[at + 1..]);
        match text[at + 1..run].rfind('\n') {
            Some(last) => {
                parts.push(&text[begin..at]);
                begin = at + 1 + last + 1;
                search = begin;
            }
            None => search = at + 1,
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// Bytes of the blanks that `text` begins with.
fn blanks(text: &str) -> usize {
    text.find(|c| !is_space(c)).unwrap_or(text.len())
}

/// Python's `str.isspace`, which also counts the four separators of ASCII.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Typographic quotes, dashes and blanks as ASCII, marks of emphasis gone.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '’' | '‘' => out.push('\''),
            '“' | '”' => out.push('"'),
            '—' => out.push_str("--"),
            '–' => out.push('-'),
            '\u{a0}' => out.push(' '),
            '_' | '*' | '#' => {}
            c => out.push(c),
        }
    }
    out
}

/// Drops `[…]`: notes and illustrations.
fn without_brackets(text: &str) -> Cow<'_, str> {
    let mut rest = text;
    let mut out = String::new();
    while let Some((open, close)) = rest.find('[').and_then(|open| Some((open, open + rest[open..].find(']')?))) {
        out.push_str(&rest[..open]);
        rest = &rest[close + 1..];
    }
    if out.is_empty() && rest.len() == text.len() { Cow::Borrowed(text) } else { Cow::Owned(out + rest) }
}

pub fn on_one_line(text: &str) -> String {
    text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Long enough, and more than half of it lower-case letters.
fn is_prose(paragraph: &str) -> bool {
    let characters = paragraph.chars().count();
    let lower = paragraph.chars().filter(|c| c.is_lowercase()).count();
    characters >= 20 && 2 * lower > characters
}

/// Cuts a book into `n` blocks of about the same number of characters, at paragraphs.
fn blocks(paragraphs: Vec<String>, n: usize) -> Vec<Vec<String>> {
    let total: usize = paragraphs.iter().map(|p| p.chars().count()).sum();
    let mut blocks = vec![Vec::new(); n];
    let mut before = 0;
    for paragraph in paragraphs {
        let length = paragraph.chars().count();
        // A paragraph is never empty, so the total is not zero here.
        blocks[(before * n / total).min(n - 1)].push(paragraph);
        before += length;
    }
    blocks
}

/// Usable sentences of a paragraph, as the recipe finds them.
pub fn sentences(paragraph: &str) -> impl Iterator<Item = &str> {
    cut(paragraph, |_| false).into_iter().filter(|s| SENTENCE.contains(&s.chars().count()))
}

/// Cuts at `(?<=[.!?])["')]*\s+(?=["'(A-Z])`: after a sentence's end, before the next one's begin. The quote that closes a
/// sentence goes with the cut, as in the recipe. There is no cut where `goes_on` says so of what stands up to the mark.
pub fn cut(paragraph: &str, goes_on: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut out = Vec::new();
    let mut begin = 0;
    for (at, _) in paragraph.match_indices(['.', '!', '?']) {
        let end = at + 1;
        let rest = paragraph[end..].trim_start_matches(['"', '\'', ')']);
        let gap = blanks(rest);
        let opens = |c: char| matches!(c, '"' | '\'' | '(') || c.is_ascii_uppercase();
        if gap > 0 && rest[gap..].starts_with(opens) && !goes_on(&paragraph[begin..end]) {
            out.push(&paragraph[begin..end]);
            begin = paragraph.len() - rest.len() + gap;
        }
    }
    out.push(&paragraph[begin..]);
    out.into_iter().map(|s| s.trim_matches(is_space)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_book_itself_is_read() {
        let file = "Licence\n*** START OF THIS PROJECT GUTENBERG EBOOK ***\nBook\nEnd of the Project Gutenberg EBook\n*** END OF";
        assert_eq!(without_licence(file), "\nBook\n");
        assert_eq!(without_licence("***START OF X***book***END OF X***"), "book");
        assert_eq!(without_licence("no marks"), "no marks");
        assert_eq!(without_licence("End of Project Gutenberg's *** START OF A *** tale"), "");
    }

    #[test]
    fn broken_bytes_byte_order_mark_and_carriage_returns_go() {
        assert_eq!(decode(b"\xef\xbb\xbfa\r\nb\rc\xff\xe2\x80d"), "a\nb\ncd");
    }

    #[test]
    fn blank_lines_part_paragraphs_even_with_blanks_on_them() {
        assert_eq!(split_at_blank_lines("a\nb\n \t\n\n  c\nd\n\x1c\ne"), ["a\nb", "  c\nd", "e"]);
        assert_eq!(split_at_blank_lines("\n\na\n"), ["", "a\n"]);
    }

    #[test]
    fn typography_becomes_ascii_and_notes_go() {
        assert_eq!(plain("“It’s_so_—oh” *#"), "\"It'sso--oh\" ");
        assert_eq!(without_brackets("a [b\n[c] d] e [f"), "a  d] e [f");
        assert_eq!(on_one_line(" a \u{2003}b\n\x1fc "), "a b c");
    }

    #[test]
    fn prose_is_mostly_lower_case_letters_counted_in_characters() {
        assert!(is_prose("éééééééééé ABCDEFGH é"));
        assert!(!is_prose("éééééééééé ABCDEFGHI"));
        assert!(!is_prose("nineteen characters"));
    }

    #[test]
    fn blocks_hold_equal_shares_and_keep_the_order() {
        let paragraphs: Vec<String> = (0..80).map(|i| format!("{i:020}")).collect();
        let blocks = blocks(paragraphs, BLOCKS);
        assert_eq!(blocks.len(), BLOCKS);
        assert!(blocks.iter().enumerate().all(|(i, b)| *b == [format!("{:020}", 2 * i), format!("{:020}", 2 * i + 1)]));
    }

    #[test]
    fn sentences_end_at_a_mark_before_a_capital_or_a_quote() {
        let first = "\"This one is long enough to be kept, is it not?";
        let second = "It is, said Mr. jones (who was asked by no one at all)!";
        let third = "'And this is the last of the three sentences here.'";
        let paragraph = format!("{first}\") {second} {third} Short.");
        assert_eq!(sentences(&paragraph).collect::<Vec<_>>(), [first, second, third.trim_end_matches('\'')]);
        assert_eq!(sentences(&"x".repeat(221)).count(), 0);
        assert_eq!(sentences(&"é".repeat(220)).count(), 1);
        assert_eq!(cut("It is Mr. Fogg. Is it?", |s| s.ends_with("Mr.")), ["It is Mr. Fogg.", "Is it?"]);
    }

    #[test]
    fn training_and_held_out_blocks_are_those_no_base_saw() {
        let body: Vec<String> =
            (0..40).map(|i| format!("This is the paragraph of block number {i:02} it is.")).collect();
        let blocks = in_blocks(body.join("\n\n").as_bytes());
        let pretrained: Vec<usize> = pretraining(&blocks).map(|(i, _)| i).collect();
        assert!(pretrained.iter().all(|i| i % 4 != 1 && i % 8 != 3) && pretrained.len() == 25);
        let numbers = |part: Vec<&[String]>| -> Vec<usize> {
            part.concat().iter().map(|s| s.split(' ').nth(7).unwrap().parse().unwrap()).collect()
        };
        let kept = kept(&blocks).map(numbers);
        assert_eq!(kept.training, [1, 5, 9, 13, 17, 21, 25, 29, 33, 37]);
        assert_eq!(kept.held_out, [3, 11, 19, 27, 35]);
    }
}
