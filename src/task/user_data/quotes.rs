//! Where quoted cells open and close. The reader forgives a quote that closes within a cell, and reads on over
//! lines and labels; here it is found.

use super::separator::Separator;

/// A quote that does not close a cell, by the offset of the one that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stray {
    /// Something else than a separator or a line's end follows the closing quote, at the second offset.
    Within(usize, usize),
    /// Nothing closes it.
    Open(usize),
}

/// Finds the first quoted cell that does not end where its cell does.
pub fn stray(text: &str, separator: Separator) -> Option<Stray> {
    let bytes = text.as_bytes();
    let ends_cell = |byte: u8| byte == separator.0 || byte == b'\n' || byte == b'\r';
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'"' {
            // To behind the cell's end.
            at += bytes[at..].iter().position(|byte| ends_cell(*byte)).map_or(bytes.len() - at, |n| n + 1);
            continue;
        }
        let opened = at;
        at += 1;
        loop {
            let Some(n) = bytes[at..].iter().position(|byte| *byte == b'"') else { return Some(Stray::Open(opened)) };
            at += n + 1;
            match bytes.get(at) {
                Some(b'"') => at += 1,
                Some(byte) if !ends_cell(*byte) => return Some(Stray::Within(opened, at)),
                _ => break,
            }
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_closes_before_a_separator_or_at_a_line_s_end() {
        for text in ["a,\"b\"\n\"c\"\"d\",e", "\"a\nb\"\r\n\"\"", "a \"b\" c,d", "", "5\",\"6\"", "\"\"\"\",b"] {
            assert_eq!(stray(text, Separator::COMMA), None, "{text}");
        }
    }

    #[test]
    fn others_are_found_where_they_opened() {
        assert_eq!(stray("a,\"b\" c\n", Separator::COMMA), Some(Stray::Within(2, 5)));
        assert_eq!(stray("one,a\n\"two,b\n\"three,a\n", Separator::COMMA), Some(Stray::Within(6, 14)));
        assert_eq!(stray("a,\"b\"\"\n", Separator::COMMA), Some(Stray::Open(2)));
        assert_eq!(stray("\"a\",b", Separator::TAB), Some(Stray::Within(0, 3)));
    }
}
