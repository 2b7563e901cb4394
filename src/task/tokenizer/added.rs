//! Tokens that are found in a text before anything else is done with it.

use super::classes::is_word;

/// Such a token.
#[derive(Clone, Debug)]
pub(super) struct Added {
    /// As it stands in a text; not empty.
    pub content: String,
    pub id: u32,
    /// Only where no character of a word touches it.
    pub single_word: bool,
    /// With the blanks in front of it.
    pub lstrip: bool,
    /// With the blanks behind it.
    pub rstrip: bool,
}

/// What a text is cut into.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    Plain(&'t str),
    Added(u32),
}

/// Tokens that are looked for at once: the first that begins, and of these the longest.
#[derive(Clone, Debug)]
pub(super) struct AddedTokens {
    /// The longest first.
    tokens: Vec<Added>,
    /// By byte: whether one begins with it.
    begins: Box<[bool; 256]>,
}

impl AddedTokens {
    /// Of two with the same content the first counts.
    pub fn new(mut tokens: Vec<Added>) -> AddedTokens {
        tokens.sort_by_key(|token| std::cmp::Reverse(token.content.len()));
        let mut begins = Box::new([false; 256]);
        tokens.iter().filter_map(|token| token.content.bytes().next()).for_each(|b| begins[b as usize] = true);
        AddedTokens { tokens, begins }
    }

    /// Hands on the tokens and what is between them, with whether the text begins with that.
    ///
    /// As Hugging Face does it: the search goes on behind a token that did not count, and behind the token
    /// itself where it takes blanks with it.
    pub fn split<'t>(&self, text: &'t str, mut part: impl FnMut(Part<'t>, bool)) {
        // Where the text begins that has not been handed on.
        let mut begin = 0;
        let mut at = 0;
        while let Some(b) = text.as_bytes().get(at) {
            let here = || self.tokens.iter().find(|t| text.as_bytes()[at..].starts_with(t.content.as_bytes()));
            let Some(token) = self.begins[*b as usize].then(here).flatten() else {
                at += 1;
                continue;
            };
            let (before, after) = (&text[..at], &text[at + token.content.len()..]);
            let (start, end) = (at, at + token.content.len());
            at = end;
            if token.single_word
                && (before.chars().next_back().is_some_and(is_word) || after.chars().next().is_some_and(is_word))
            {
                continue;
            }
            // What was handed on is not looked at again, or a megabyte of blanks would be looked at a million times.
            let start = match token.lstrip {
                true if begin < start => begin + text[begin..start].trim_end().len(),
                true => begin,
                false => start,
            };
            let end = match token.rstrip {
                true if begin < end => text.len() - after.trim_start().len(),
                true => begin,
                false => end,
            };
            if begin < start {
                part(Part::Plain(&text[begin..start]), begin == 0);
            }
            // Nothing is left of a blank that the token before has taken with it.
            if start < end {
                part(Part::Added(token.id), false);
            }
            begin = end;
        }
        if begin < text.len() {
            part(Part::Plain(&text[begin..]), begin == 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Part::{Added as Token, Plain};
    use super::*;

    fn token(content: &str, id: u32) -> Added {
        Added { content: content.into(), id, single_word: false, lstrip: false, rstrip: false }
    }

    fn parts<'t>(tokens: &[Added], text: &'t str) -> Vec<Part<'t>> {
        let mut all = Vec::new();
        AddedTokens::new(tokens.to_vec()).split(text, |part, _| all.push(part));
        all
    }

    #[test]
    fn the_longest_of_those_that_begin_first_is_taken() {
        let tokens = [token("  ", 1), token("   ", 2), token("<s>", 3), token("s>é", 4)];
        assert_eq!(parts(&tokens, "a     b"), [Plain("a"), Token(2), Token(1), Plain("b")]);
        assert_eq!(parts(&tokens, "<s>é<s><s"), [Token(3), Plain("é"), Token(3), Plain("<s")]);
        assert_eq!(parts(&tokens, ""), []);
    }

    #[test]
    fn a_token_takes_blanks_with_it() {
        let tokens = [Added { lstrip: true, ..token("<l>", 1) }, Added { rstrip: true, ..token("<r>", 2) }];
        assert_eq!(parts(&tokens, "a \n<l> b<r>\u{3000} c"), [Plain("a"), Token(1), Plain(" b"), Token(2), Plain("c")]);
        assert_eq!(parts(&tokens, "<r>  <l>  "), [Token(2), Token(1), Plain("  ")]);
        let blank = [Added { lstrip: true, rstrip: true, ..token(" ", 1) }];
        assert_eq!(parts(&blank, "a   b"), [Plain("a"), Token(1), Plain("b")]);
        assert_eq!(parts(&blank, &" ".repeat(1 << 20)), [Token(1)]);
    }

    #[test]
    fn a_single_word_stands_alone() {
        let tokens = [Added { single_word: true, ..token("ad", 1) }];
        assert_eq!(parts(&tokens, "ad-ad bad ads ad"), [Token(1), Plain("-"), Token(1), Plain(" bad ads "), Token(1)]);
        assert_eq!(parts(&tokens, "éad ad_ ad\u{301} ad7"), [Plain("éad ad_ ad\u{301} ad7")]);
    }
}
