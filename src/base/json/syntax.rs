//! What is no JSON, in words of our own.

use super::words::message;
use serde_json::Error;

/// Numbers that Python's `json` writes, and JSON does not have.
const NOT_FINITE: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// What is wrong where a parser stopped: the key whose value it is, where a number is at fault, and the end of a
/// sentence.
pub fn syntax_fault(text: &str, error: &Error) -> (Option<String>, String) {
    let message = message(error);
    let at = offset(text, error);
    if let Some((begin, word)) = not_finite(text, at) {
        let what = format!("{word}, and JSON has finite numbers alone: null stands for none");
        return (key_before(text, begin), what);
    }
    if message == "number out of range" {
        let is_part = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
        let begin = text[..at].trim_end_matches(is_part).len();
        let number = text[begin..].split(|c| !is_part(c)).next().unwrap_or_default();
        let what = format!("{}, which is past all numbers that are read", crate::base::shorten(number));
        return (key_before(text, begin), what);
    }
    (None, of_parser(&message).into())
}

/// A fault of the parser in our words.
fn of_parser(message: &str) -> &'static str {
    match message {
        "EOF while parsing a list" => "the list is not closed with ]",
        "EOF while parsing an object" => "the object is not closed with }",
        "EOF while parsing a string" => "the text is not closed with a quote",
        "EOF while parsing a value" => "a value is missing",
        "expected `:`" => "a colon must follow a key",
        "expected `,` or `]`" => "a comma or ] must follow an element of the array",
        "expected `,` or `}`" => "a comma or } must follow a member of the object",
        "expected value" | "expected ident" | "expected `null`" => "no value begins like this",
        "invalid number" => "numbers are not written like this",
        "invalid escape" => "what follows the backslash has no meaning: a backslash itself is written twice",
        "invalid unicode code point" | "unexpected end of hex escape" | "lone leading surrogate in hex escape" => {
            "what follows \\u is no character"
        }
        "key must be a string" => "a key stands in double quotes",
        "trailing comma" => "nothing follows the comma: leave it out",
        "trailing characters" => "something follows the end",
        "recursion limit exceeded" => "lists and objects are nested too deeply",
        _ if message.starts_with("control character") => {
            "a line break or another control character stands within a text: it is written \\n"
        }
        _ => "no JSON goes on like this",
    }
}

/// Where the parser stopped, in bytes.
fn offset(text: &str, error: &Error) -> usize {
    let above: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut at = (above + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A number that is not finite at an offset, and where it begins.
fn not_finite(text: &str, at: usize) -> Option<(usize, &'static str)> {
    // A parser stops behind the first letter, at the latest.
    (at.saturating_sub(1)..=at).filter(|begin| text.is_char_boundary(*begin)).find_map(|begin| {
        let word = NOT_FINITE.into_iter().find(|word| text[begin..].starts_with(word))?;
        Some((begin, word))
    })
}

/// The key in front of a value.
fn key_before(text: &str, at: usize) -> Option<String> {
    let before = text[..at].trim_end().strip_suffix(':')?.trim_end().strip_suffix('"')?;
    Some(crate::base::shorten(&before[before.rfind('"')? + 1..]))
}
