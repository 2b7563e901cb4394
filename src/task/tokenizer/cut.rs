//! Where a text is cut before merging: the pre-tokenizers of the families.

use super::byte_level;
use super::classes::Class;

/// A pre-tokenizer that leaves nothing out: its pieces, one after the other, are the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// GPT-2's regular expression.
    LedByBlank,
    /// That of Llama 3 and Qwen, which differ in how many digits stay together:
    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,DIGITS}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
    LedBySign { digits: usize },
    /// Digits apart from all else, each by itself or a row of them together.
    Digits { single: bool },
    /// In front of each such character.
    Before(char),
}

impl Cut {
    /// Bytes of the first piece of a text that is not empty.
    fn first(self, text: &str) -> usize {
        match self {
            Cut::LedByBlank => byte_level::first_piece(text),
            Cut::LedBySign { digits } => first_word(text, digits),
            Cut::Digits { single } => match text.chars().next().filter(|c| c.is_numeric()) {
                Some(digit) if single => digit.len_utf8(),
                Some(_) => Class::Number.run(text),
                None => text.find(char::is_numeric).unwrap_or(text.len()),
            },
            Cut::Before(mark) => {
                let first = text.chars().next().map_or(0, char::len_utf8);
                text[first..].find(mark).map_or(text.len(), |at| first + at)
            }
        }
    }
}

/// Hands on the pieces of a text that some pre-tokenizers leave, each of which cuts the last one's.
pub(super) fn cut<'t>(text: &'t str, cuts: &[Cut], piece: &mut dyn FnMut(&'t str)) {
    let Some((first, others)) = cuts.split_first() else { return piece(text) };
    let mut rest = text;
    while !rest.is_empty() {
        let (here, after) = rest.split_at(first.first(rest));
        cut(here, others, piece);
        rest = after;
    }
}

/// Bytes of the first piece by the expression of [`Cut::LedBySign`], one alternative after the other.
fn first_word(text: &str, digits: usize) -> usize {
    if let Some(contraction) = contraction(text) {
        return contraction;
    }
    let breaks = |c: char| matches!(c, '\r' | '\n');
    let first = text.chars().next().unwrap_or(' ');
    let class = Class::of(first);
    // One blank or sign may lead a word.
    let lead = if matches!(class, Class::Space | Class::Sign) && !breaks(first) { first.len_utf8() } else { 0 };
    let letters = Class::Letter.run(&text[lead..]);
    if letters > 0 {
        return lead + letters;
    }
    if class == Class::Number {
        let end = text.char_indices().map_while(|(at, c)| c.is_numeric().then_some(at + c.len_utf8()));
        return end.take(digits).last().unwrap_or(0);
    }
    let body = text.strip_prefix(' ').unwrap_or(text);
    let signs = Class::Sign.run(body);
    if signs > 0 {
        let behind = &body[signs..];
        return text.len() - behind.trim_start_matches(breaks).len();
    }
    let spaces = Class::Space.run(text);
    if let Some(last) = text[..spaces].rfind(breaks) {
        return last + 1;
    }
    byte_level::spaces(text)
}

/// Bytes of a contraction that a text begins with, in letters of either case. By Unicode, `ſ` is an `s`.
fn contraction(text: &str) -> Option<usize> {
    let after = text.strip_prefix('\'')?;
    let mut letters = after.chars().map(|c| if c == 'ſ' { 's' } else { c.to_ascii_lowercase() });
    let pair = (letters.next()?, letters.next());
    match pair {
        ('s' | 't' | 'm' | 'd', _) => Some(1 + after.chars().next().map_or(0, char::len_utf8)),
        ('r' | 'v', Some('e')) | ('l', Some('l')) => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces<'t>(text: &'t str, cuts: &[Cut]) -> Vec<&'t str> {
        let mut all = Vec::new();
        cut(text, cuts, &mut |piece| all.push(piece));
        all
    }

    #[test]
    fn words_are_those_of_the_regular_expression() {
        let llama = |text| pieces(text, &[Cut::LedBySign { digits: 3 }]);
        assert_eq!(llama("I'M don't we'Ll 'ſo 'x"), ["I", "'M", " don", "'t", " we", "'Ll", " '", "ſo", " '", "x"]);
        assert_eq!(llama("x='ſo"), ["x", "='", "ſo"]);
        assert_eq!(llama("'ſo"), ["'ſ", "o"]);
        assert_eq!(llama("1234567 ²½8٣4"), ["123", "456", "7", " ", "²½8", "٣4"]);
        assert_eq!(llama("a(b) \tc\u{a0}d +x"), ["a", "(b", ")", " ", "\tc", "\u{a0}d", " +", "x"]);
        assert_eq!(llama("x;\r\n\n  y \n \n  z  "), ["x", ";\r\n\n", " ", " y", " \n \n", " ", " z", "  "]);
        assert_eq!(llama(" 1  2"), [" ", "1", " ", " ", "2"]);
        assert_eq!(llama(" …\n👩\u{200d}🔬\n\nनमस्ते"), [" …\n", "👩\u{200d}🔬\n\n", "नमस", "\u{94d}त", "\u{947}"]);
        assert_eq!(llama("\n"), ["\n"]);
        assert_eq!(pieces("a 1234", &[Cut::LedBySign { digits: 1 }]), ["a", " ", "1", "2", "3", "4"]);
    }

    #[test]
    fn digits_stand_apart() {
        let single = [Cut::Digits { single: true }, Cut::LedByBlank];
        assert_eq!(pieces("in 1872,  4th ", &single), ["in", " ", "1", "8", "7", "2", ",", "  ", "4", "th", " "]);
        assert_eq!(pieces("½²x9", &single), ["½", "²", "x", "9"]);
        let rows = [Cut::Digits { single: false }, Cut::LedByBlank];
        assert_eq!(pieces("in 1872, 4", &rows), ["in", " ", "1872", ",", " ", "4"]);
    }

    #[test]
    fn a_mark_begins_a_piece() {
        let cuts = [Cut::Before('▁')];
        assert_eq!(pieces("▁a▁▁bc", &cuts), ["▁a", "▁", "▁bc"]);
        assert_eq!(pieces("ab▁", &cuts), ["ab", "▁"]);
        assert_eq!(pieces("", &cuts), Vec::<&str>::new());
    }

    #[test]
    fn long_runs_take_no_time_to_speak_of() {
        for long in [" ", "a", "1", "\n", "\t \n", "'", "é", "\u{301}"] {
            let text = long.repeat((1 << 20) / long.len());
            for cuts in [vec![Cut::LedBySign { digits: 3 }], vec![Cut::Digits { single: true }, Cut::LedByBlank]] {
                let mut bytes = 0;
                cut(&text, &cuts, &mut |piece| bytes += piece.len());
                assert_eq!(bytes, text.len());
            }
        }
    }
}
