//! What stands between the cells of a row.

use std::fmt;

/// A byte of ASCII between cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Separator(pub u8);

impl Separator {
    /// What `.csv` promises.
    pub const COMMA: Separator = Separator(b',');
    /// What `.tsv` promises, and Excel's “Unicode Text” has.
    pub const TAB: Separator = Separator(b'\t');
    /// What R's `write.table` has where nothing else is asked for.
    pub const BLANK: Separator = Separator(b' ');
    /// Those that are looked for, in this order.
    pub const KNOWN: [Separator; 4] = [Separator::COMMA, Separator(b';'), Separator::TAB, Separator(b'|')];
}

impl fmt::Display for Separator {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            b',' => f.write_str("comma"),
            b';' => f.write_str("semicolon"),
            b'\t' => f.write_str("tab"),
            b'|' => f.write_str("vertical bar"),
            b' ' => f.write_str("blank"),
            other => write!(f, "“{}”", char::from(other)),
        }
    }
}

/// The separator that a first line such as Excel's `sep=;` names, and where the next line begins.
pub fn named(text: &str) -> Option<(Separator, usize)> {
    let end = text.find(['\n', '\r'])?;
    let line = text[..end].trim_matches([' ', '"', ',', ';']);
    // What is trimmed may be the separator itself: only the name has to be there.
    let named = line.get(..4).filter(|name| name.eq_ignore_ascii_case("sep="))?;
    let at = text.find(named)? + named.len();
    let separator = match &text[at..end] {
        rest if rest.starts_with("\\t") => b'\t',
        rest => *rest.as_bytes().first()?,
    };
    // Letters and digits stand in cells, a quote around them.
    let separates = separator == b'\t' || separator == b' ' || separator.is_ascii_punctuation();
    let rest = &text.as_bytes()[end..];
    let next = end + if rest.starts_with(b"\r\n") { 2 } else { 1 };
    (separates && separator != b'"').then_some((Separator(separator), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_may_name_the_separator() {
        for (text, separator, next) in [
            ("sep=;\ntext", b';', 6),
            ("sep=,\r\ntext", b',', 7),
            ("SEP=|\rtext", b'|', 6),
            ("\"sep=;\"\ntext", b';', 8),
            ("sep=\t\ntext", b'\t', 6),
            ("sep=\\t\ntext", b'\t', 7),
        ] {
            assert_eq!(named(text), Some((Separator(separator), next)), "{text}");
        }
        for text in ["sep=;", "sep=\ntext", "sep=a\ntext", "text;sep=;\n", "sep", "", "sep=\"\n", "sé=;\n"] {
            assert_eq!(named(text), None, "{text}");
        }
    }
}
