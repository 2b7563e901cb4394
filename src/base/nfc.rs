//! Unicode's composed form, NFC.

use std::borrow::Cow;

/// A text in composed form: `e` with an accent behind it becomes `é`. A browser has the tables of Unicode, so
/// that a page does not carry them.
pub fn nfc(text: &str) -> Cow<'_, str> {
    // No character below composes with one below.
    if text.chars().all(|c| c < '\u{300}') {
        return Cow::Borrowed(text);
    }
    let composed = compose(text);
    if composed == text { Cow::Borrowed(text) } else { Cow::Owned(composed) }
}

#[cfg(not(target_arch = "wasm32"))]
fn compose(text: &str) -> String {
    unicode_normalization::UnicodeNormalization::nfc(text).collect()
}

#[cfg(target_arch = "wasm32")]
fn compose(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFC").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_are_composed() {
        for (text, composed) in [
            ("e\u{301}", "é"),
            ("\u{1100}\u{1161}\u{11a8}", "각"),
            ("\u{212b}", "Å"),
            ("\u{958}", "\u{915}\u{93c}"),
            ("a\u{323}\u{307}", "ạ\u{307}"),
            ("ﬁ①", "ﬁ①"),
        ] {
            assert_eq!(nfc(text), composed);
        }
        assert!(matches!(nfc("naïve"), Cow::Borrowed(_)));
        assert!(matches!(nfc("Ж東"), Cow::Borrowed(_)));
    }
}
