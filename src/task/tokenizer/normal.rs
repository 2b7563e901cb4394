//! What is done to a text before it is cut: normalizers, and SentencePiece's mark in the place of blanks.

use crate::base::nfc;
use std::borrow::Cow;

/// A step that changes a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Normal {
    /// Unicode's composed form.
    Nfc,
    /// In front of every text that is not empty.
    Prepend(String),
    /// Every occurrence of the first by the second.
    Replace(String, String),
}

/// A text after some steps.
pub(super) fn normal<'t>(text: &'t str, steps: &[Normal]) -> Cow<'t, str> {
    steps.iter().fold(Cow::Borrowed(text), |text, step| match step {
        Normal::Nfc => match nfc(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(composed) => Cow::Owned(composed),
        },
        Normal::Prepend(front) if !text.is_empty() => Cow::Owned(format!("{front}{text}")),
        Normal::Replace(from, to) if text.contains(from) => Cow::Owned(text.replace(from, to)),
        _ => text,
    })
}

/// Where the mark is put in front of a text that does not begin with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// Also behind an added token.
    Always,
    /// At the beginning of the whole text.
    First,
    /// Nowhere.
    Never,
}

/// SentencePiece's way with blanks: each becomes a mark, `▁`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Metaspace {
    pub mark: char,
    pub front: Front,
}

impl Metaspace {
    /// A text that is not empty, with marks. `first` is whether the whole text begins with it.
    pub fn mark(self, text: &str, first: bool) -> String {
        let mut buffer = [0; 4];
        let mark: &str = self.mark.encode_utf8(&mut buffer);
        let marked = text.replace(' ', mark);
        let wanted = self.front == Front::Always || self.front == Front::First && first;
        if wanted && !marked.starts_with(self.mark) { format!("{mark}{marked}") } else { marked }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other() {
        let llama = [Normal::Prepend("▁".into()), Normal::Replace(" ".into(), "▁".into())];
        assert_eq!(normal("a b", &llama), "▁a▁b");
        assert_eq!(normal(" a", &llama), "▁▁a");
        assert_eq!(normal("", &llama), "");
        assert_eq!(normal("e\u{301} x", &[Normal::Nfc, Normal::Replace("é".into(), "E".into())]), "E x");
        assert!(matches!(normal("naïve", &[Normal::Nfc]), Cow::Borrowed(_)));
    }

    #[test]
    fn a_mark_is_put_in_front_once() {
        let mark = |front, text, first| Metaspace { mark: '▁', front }.mark(text, first);
        assert_eq!(mark(Front::Always, "a b", false), "▁a▁b");
        assert_eq!(mark(Front::First, "a b", false), "a▁b");
        assert_eq!(mark(Front::First, "a", true), "▁a");
        assert_eq!(mark(Front::First, " a", true), "▁a");
        assert_eq!(mark(Front::Always, "▁a", true), "▁a");
        assert_eq!(mark(Front::Never, "a ", true), "a▁");
    }
}
