//! serde's messages in words of our own. serde has no other way to tell what it found.

use crate::base::shorten;
use serde_json::{Error, Value};

/// The parser's message without its “ at line 1 column 2”.
pub fn message(error: &Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before).into()
}

/// The field in “missing field `key`”.
pub fn missing(message: &str) -> Option<&str> {
    in_quotes(message.strip_prefix("missing field ")?)
}

fn in_quotes(text: &str) -> Option<&str> {
    Some(text.strip_prefix('`')?.split_once('`')?.0)
}

/// Whether a message can be about this value, or about one in it.
pub fn described(value: &Value, message: &str) -> bool {
    let found = match value {
        Value::Null => "null".to_string(),
        Value::Bool(flag) => format!("boolean `{flag}`"),
        Value::Number(n) => format!("`{n}`"),
        Value::String(text) => {
            return message.contains(&format!("string {text:?},")) || message.contains(&format!("variant `{text}`,"));
        }
        Value::Array(items) => {
            return message.contains(": sequence,") || items.iter().any(|item| described(item, message));
        }
        Value::Object(entries) => {
            return message.contains(": map,") || entries.values().any(|value| described(value, message));
        }
    };
    message.contains(&format!("{found},"))
}

/// What a message says of a value at a path, as the end of a sentence.
pub fn said(message: &str, path: &[String], found: Option<&Value>) -> String {
    let name = |path: &[String]| if path.is_empty() { "it".to_string() } else { format!("“{}”", path.join(".")) };
    let of_field = |field: &str| name(&[path, &[field.to_string()]].concat());
    if let Some(field) = missing(message) {
        return format!("{} is missing", of_field(field));
    }
    if let Some(field) = message.strip_prefix("duplicate field ").and_then(in_quotes) {
        return format!("{} stands there twice", of_field(field));
    }
    if let Some(field) = message.strip_prefix("unknown field ").and_then(in_quotes) {
        // The key itself is what is at fault.
        let of = if path.last().is_some_and(|last| last == field) { name(path) } else { of_field(field) };
        return format!("{of} is no key that is known there");
    }
    let is_serde_s = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    if !is_serde_s.iter().any(|begin| message.starts_with(begin)) {
        // A sentence of our own.
        let message = message.trim_end_matches('.');
        return if path.is_empty() { message.into() } else { format!("{}: {message}", name(path)) };
    }
    let is = match found {
        Some(Value::Array(items)) if message.starts_with("invalid length ") => format!("a list of {}", items.len()),
        Some(Value::Array(_)) => "a list".into(),
        Some(Value::Object(_)) => "an object".into(),
        Some(other) => shorten(&other.to_string()),
        None => "of another kind".into(),
    };
    match message.rsplit_once(", expected ").map(|(_, expected)| expected_in_words(expected)) {
        Some(expected) if !expected.is_empty() => format!("{} is {is}, and {expected} is expected", name(path)),
        _ => format!("{} is {is}, which is not known there", name(path)),
    }
}

/// What serde expects; empty where it would say nothing to people.
fn expected_in_words(expected: &str) -> String {
    let whole = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize"];
    match expected {
        _ if whole.contains(&expected) => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" | "string" | "str" | "string or map" | "a borrowed string" | "variant identifier" => "a text".into(),
        "a sequence" | "an array" => "a list".into(),
        "a map" | "map" | "an object" => "an object".into(),
        _ if expected.starts_with("struct ") || expected.starts_with("internally tagged enum") => "an object".into(),
        _ => {
            if let Some(n) = expected.strip_prefix("a tuple of size ") {
                return format!("a list of {n}");
            }
            let names = expected.strip_prefix("one of ").or(expected.starts_with('`').then_some(expected));
            // A long list helps nobody.
            names.filter(|names| names.len() <= 80).map(|names| names.replace('`', "")).unwrap_or_default()
        }
    }
}
