//! GPT-2's cut of a text into pieces, and its way of writing bytes as printable characters.

use super::classes::Class;
use std::collections::HashMap;

/// The pieces that byte-pair merges never cross, one after the other; together they are the text.
///
/// This is the regular expression of GPT-2,
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, by hand.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = rest.split_at(first_piece(rest));
        rest = after;
        Some(piece)
    })
}

/// Bytes of the first piece of a text that is not empty.
pub(super) fn first_piece(text: &str) -> usize {
    const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    if let Some(contraction) = CONTRACTIONS.iter().find(|c| text.starts_with(**c)) {
        return contraction.len();
    }
    // One blank may lead a word, a number or signs.
    let body = text.strip_prefix(' ').unwrap_or(text);
    if let Some(class) = body.chars().next().map(Class::of).filter(|class| *class != Class::Space) {
        return text.len() - body.len() + class.run(body);
    }
    spaces(text)
}

/// Bytes of the blanks that a text begins with, by `\s+(?!\S)|\s+`.
pub(super) fn spaces(text: &str) -> usize {
    let spaces = Class::Space.run(text);
    match text[..spaces].char_indices().next_back() {
        // The last of several blanks is left to lead the word behind them.
        Some((last, _)) if last > 0 && spaces < text.len() => last,
        _ => spaces,
    }
}

/// The character that stands for each byte in a vocabulary: itself where it prints, else the next one from
/// U+0100 on.
pub fn byte_characters() -> [char; 256] {
    let prints = |b: u8| matches!(b, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let mut next = 0x100_u32..;
    std::array::from_fn(|i| {
        let b = i as u8;
        if prints(b) {
            char::from(b)
        } else {
            // At most 256 characters from U+0100: all of them exist.
            next.next().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    })
}

/// Reads a token of the vocabulary back to bytes; `None` where a character stands for no byte.
pub fn token_bytes(token: &str, bytes: &HashMap<char, u8>) -> Option<Vec<u8>> {
    token.chars().map(|c| bytes.get(&c).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        pieces(text).collect()
    }

    #[test]
    fn pieces_are_those_of_the_regular_expression() {
        assert_eq!(cut("don't we'll 'tis o'clock"), ["don", "'t", " we", "'ll", " '", "tis", " o", "'", "clock"]);
        assert_eq!(cut("in 1872, at 11:45!"), ["in", " 1872", ",", " at", " 11", ":", "45", "!"]);
        assert_eq!(cut("a  b   \n c\t\td \n"), ["a", " ", " b", "   \n", " c", "\t", "\t", "d", " \n"]);
        assert_eq!(cut("\n\nx"), ["\n", "\n", "x"]);
        assert_eq!(cut("x²½Ⅷ y"), ["x", "²½Ⅷ", " y"]);
        assert_eq!(cut("e\u{301} हि…"), ["e", "\u{301}", " ह", "ि…"]);
        assert_eq!(cut("\u{a0}\u{a0}é"), ["\u{a0}", "\u{a0}", "é"]);
        assert_eq!(cut(""), Vec::<&str>::new());
    }

    #[test]
    fn bytes_have_gpt2s_characters() {
        let characters = byte_characters();
        assert_eq!(characters[b' ' as usize], 'Ġ');
        assert_eq!(characters[b'\n' as usize], 'Ċ');
        assert_eq!(characters[b'A' as usize], 'A');
        assert_eq!(characters[0x7f], 'ġ');
        assert_eq!(characters[0xad], 'Ń');
        let distinct: std::collections::HashSet<_> = characters.into_iter().collect();
        assert_eq!(distinct.len(), 256);
    }
}
