//! Where the parts of a JSON text stand: elements of an array, members of an object, none of them read yet.

use crate::base::json_words;
use crate::task::user_data::decode::Lines;
use crate::task::user_data::error::UserDataError;
use crate::task::user_data::limits::MAX_CELLS;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::ops::Range;

/// A part of a text by its bytes.
pub type Place = Range<usize>;

/// The elements of an array that begins at this offset, and where it ends.
pub fn elements(text: &str, at: usize) -> Result<(Vec<Place>, usize), UserDataError> {
    let mut found = Vec::new();
    let end = walk(text, at, b']', |at| {
        let end = read::<IgnoredAny>(text, at, ARRAY_IS_OPEN)?.1;
        found.push(at..end);
        Ok(end)
    })?;
    Ok((found, end))
}

/// The members of an object that begins at this offset, and where it ends. A key may come twice.
pub fn members(text: &str, at: usize) -> Result<(Vec<(String, Place)>, usize), UserDataError> {
    let mut found = Vec::new();
    let end = walk(text, at, b'}', |at| {
        let (key, end) = read::<String>(text, at, OBJECT_IS_OPEN)?;
        let colon = skip_blanks(text, end);
        if text.as_bytes().get(colon) != Some(&b':') {
            return Err(fault(text, colon, "a colon must follow a key"));
        }
        let value = skip_blanks(text, colon + 1);
        let end = read::<IgnoredAny>(text, value, OBJECT_IS_OPEN)?.1;
        found.push((key, value..end));
        Ok(end)
    })?;
    Ok((found, end))
}

const ARRAY_IS_OPEN: &str = "the array is not closed with ]";
const OBJECT_IS_OPEN: &str = "the object is not closed with }";

/// Goes from part to part, with commas between them; `part` says where one ends.
fn walk(
    text: &str,
    at: usize,
    closing: u8,
    mut part: impl FnMut(usize) -> Result<usize, UserDataError>,
) -> Result<usize, UserDataError> {
    let (open, follows) = match closing {
        b']' => (ARRAY_IS_OPEN, "a comma or ] must follow an element of the array"),
        _ => (OBJECT_IS_OPEN, "a comma or } must follow a member of the object"),
    };
    let mut at = skip_blanks(text, at + 1);
    if text.as_bytes().get(at) == Some(&closing) {
        return Ok(at + 1);
    }
    let mut parts = 0;
    loop {
        parts += 1;
        if parts > MAX_CELLS {
            return Err(UserDataError::TooManyCells { line: line(text, at) });
        }
        at = skip_blanks(text, part(at)?);
        match text.as_bytes().get(at) {
            Some(b',') => at = skip_blanks(text, at + 1),
            Some(byte) if *byte == closing => return Ok(at + 1),
            None => return Err(fault(text, at, open)),
            Some(_) => return Err(fault(text, at, follows)),
        }
    }
}

/// Reads the value that begins at this offset, and says where it ends; `open` is the fault where there is none.
pub fn read<T: DeserializeOwned>(text: &str, at: usize, open: &str) -> Result<(T, usize), UserDataError> {
    let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter();
    match values.next() {
        Some(Ok(value)) => Ok((value, at + values.byte_offset())),
        Some(Err(e)) => Err(value_fault(text, at, &e)),
        None => Err(fault(text, at, open)),
    }
}

/// Reads the value at a place.
pub fn value<T: DeserializeOwned>(text: &str, place: &Place) -> Result<T, UserDataError> {
    serde_json::from_str(&text[place.clone()]).map_err(|e| value_fault(text, place.start, &e))
}

/// The next offset without a blank.
pub fn skip_blanks(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start().len()
}

/// The line of an offset, from 1 on.
pub fn line(text: &str, at: usize) -> usize {
    Lines::new(text.as_bytes()).at(at)
}

/// What is wrong at an offset.
pub fn fault(text: &str, at: usize, message: &str) -> UserDataError {
    let line_begins = text[..at].rfind('\n').map_or(0, |i| i + 1);
    UserDataError::Json {
        line: line(text, at),
        column: at - line_begins + 1,
        message: message.into(),
        one_a_line: false,
    }
}

/// The fault of a value that begins at this offset: the reader counted from there.
fn value_fault(text: &str, at: usize, e: &serde_json::Error) -> UserDataError {
    let above: usize = text[at..].split_inclusive('\n').take(e.line().saturating_sub(1)).map(str::len).sum();
    let mut place = (at + above + e.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    fault(text, place, &json_words(&text[at..], e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_where_they_stand() {
        let text = " [ 1 ,\n{\"a\": [2]}, \"é]\"] x";
        let (found, end) = elements(text, 1).unwrap();
        let found: Vec<&str> = found.into_iter().map(|place| &text[place]).collect();
        assert_eq!((found, &text[end..]), (vec!["1", "{\"a\": [2]}", "\"é]\""], " x"));
        let text = "{\"a\" : null, \"b}\":{\"c\":3} }";
        let (found, end) = members(text, 0).unwrap();
        assert_eq!(end, text.len());
        assert_eq!(found.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a", "b}"]);
        assert_eq!((&text[found[0].1.clone()], &text[found[1].1.clone()]), ("null", "{\"c\":3}"));
        assert_eq!((elements("[]", 0).unwrap().1, members("{ }", 0).unwrap().1), (2, 3));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, said) in [
            ("{\"a\" 1}", "Line 1, column 6: a colon"),
            ("{\"a\":1\n\"b\":2}", "Line 2, column 1: a comma or }"),
            ("{\"a\":1,", "Line 1, column 8: the object is not closed"),
            ("{a:1}", "Line 1, column 2: "),
            ("{\"a\":\n  é}", "Line 2, column 3: no value begins like this"),
        ] {
            let fault = members(text, 0).unwrap_err().to_string();
            assert!(fault.starts_with(said), "{text}: {fault}");
        }
    }
}
