//! Bytes to text, and where in it a line begins.

use super::error::UserDataError;

/// Decodes UTF-8, or UTF-16 that begins with a byte order mark or is plainly that. The mark is left out.
pub fn decode(bytes: &[u8]) -> Result<String, UserDataError> {
    let text = match bytes {
        [0xff, 0xfe, units @ ..] => utf16(units, u16::from_le_bytes)?,
        [0xfe, 0xff, units @ ..] => utf16(units, u16::from_be_bytes)?,
        units if is_utf16(units, 1) => utf16(units, u16::from_le_bytes)?,
        units if is_utf16(units, 0) => utf16(units, u16::from_be_bytes)?,
        _ => {
            refuse_nul(bytes)?;
            let bad = |e: std::str::Utf8Error| UserDataError::Encoding { line: line_of(bytes, e.valid_up_to()) };
            std::str::from_utf8(bytes).map_err(bad)?.into()
        }
    };
    refuse_nul(text.as_bytes())?;
    Ok(text.trim_start_matches('\u{feff}').into())
}

/// Bytes by which a byte order is judged where no mark tells it.
const LOOKED_AT: usize = 4000;

/// Whether bytes are UTF-16 whose upper bytes stand at the even places (0) or the odd ones (1): most of these
/// are zero, as Latin letters have it, none of the others is, and a blank or a line's end is among them.
fn is_utf16(bytes: &[u8], upper: usize) -> bool {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let pairs = &pairs[..pairs.len().min(LOOKED_AT / 2)];
    let zeros = pairs.iter().filter(|pair| pair[upper] == 0).count();
    let is_blank = |pair: &[u8; 2]| pair[upper] == 0 && matches!(pair[1 - upper], b' ' | b'\n' | b'\r' | b'\t');
    rest.is_empty()
        && zeros > pairs.len() / 2
        && pairs.iter().all(|pair| pair[1 - upper] != 0)
        && pairs.iter().any(is_blank)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, UserDataError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let bad = |_| UserDataError::Encoding { line: line_of(text.as_bytes(), text.len()) };
        text.push(decoded.map_err(bad)?);
    }
    if rest.is_empty() { Ok(text) } else { Err(UserDataError::Encoding { line: line_of(text.as_bytes(), text.len()) }) }
}

fn refuse_nul(bytes: &[u8]) -> Result<(), UserDataError> {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(at) => Err(UserDataError::Binary { line: line_of(bytes, at) }),
        None => Ok(()),
    }
}

/// The text with `\n` at each line's end, for `\r\n` and `\r`.
pub fn with_newlines(text: String) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    Lines::new(bytes).at(at)
}

/// Counts lines up to offsets that only grow. Lines end with `\n`, `\r\n` or `\r`.
pub struct Lines<'a> {
    bytes: &'a [u8],
    counted: usize,
    line: usize,
}

impl Lines<'_> {
    /// Begins at the first line.
    pub fn new(bytes: &[u8]) -> Lines<'_> {
        Lines { bytes, counted: 0, line: 1 }
    }

    /// The line, from 1 on, in which the byte at this offset stands.
    pub fn at(&mut self, offset: usize) -> usize {
        while self.counted < offset.min(self.bytes.len()) {
            self.line += match (self.bytes[self.counted], self.bytes.get(self.counted + 1)) {
                (b'\r', Some(b'\n')) => 0,
                (b'\r' | b'\n', _) => 1,
                _ => 0,
            };
            self.counted += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_file(text: &str, big: bool) -> Vec<u8> {
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn byte_order_marks_are_left_out() {
        assert_eq!(decode("\u{feff}né 🙂".as_bytes()).unwrap(), "né 🙂");
        assert_eq!(decode(&utf16_file("né 🙂", false)).unwrap(), "né 🙂");
        assert_eq!(decode(&utf16_file("né 🙂", true)).unwrap(), "né 🙂");
    }

    #[test]
    fn utf_16_without_a_mark_is_told_by_its_upper_bytes() {
        for (text, big) in [("text\tlabel\nné 🙂\ta\n", false), ("Straße und Weg\r\n", true)] {
            assert_eq!(decode(&utf16_file(text, big)[2..]).unwrap(), text);
        }
        // A line without blanks could be anything.
        assert!(matches!(decode(&utf16_file("abcdef", false)[2..]), Err(UserDataError::Binary { .. })));
    }

    #[test]
    fn other_bytes_are_refused_with_their_line() {
        let latin_1 = decode(b"one\r\ntwo\rcaf\xe9").unwrap_err();
        assert_eq!(latin_1, UserDataError::Encoding { line: 3 });
        assert!(latin_1.to_string().contains("save it as UTF-8"));
        let mut odd = utf16_file("one\ntwo", false);
        odd.push(b'x');
        assert_eq!(decode(&odd).unwrap_err(), UserDataError::Encoding { line: 2 });
        let half_a_pair = [0xfe, 0xff, 0, b'\n', 0xd8, 0x3d, 0, b'x'];
        assert_eq!(decode(&half_a_pair).unwrap_err(), UserDataError::Encoding { line: 2 });
    }

    #[test]
    fn nul_bytes_are_a_binary_file_s() {
        for bytes in [&b"one\ntwo\0"[..], b"\x89PNG\r\n\0\xff", &utf16_file("a\n\0", true)] {
            let refused = decode(bytes).unwrap_err();
            assert_eq!(refused, UserDataError::Binary { line: 2 });
            assert!(refused.to_string().starts_with("This looks like a binary file"));
        }
    }

    #[test]
    fn lines_end_in_three_ways() {
        let text = "a\r\nb\rc\n\nd";
        let mut lines = Lines::new(text.as_bytes());
        let found: Vec<usize> = (0..=text.len()).map(|at| lines.at(at)).collect();
        assert_eq!(found, [1, 1, 1, 2, 2, 3, 3, 4, 5, 5]);
        assert_eq!(with_newlines(text.into()), "a\nb\nc\n\nd");
    }
}
