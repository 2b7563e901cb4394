//! What is wrong with a JSON text, in words of our own: line, key, what stands there and what is expected.

mod syntax;
mod words;

use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::{Error, Value};
use syntax::syntax_fault;
use words::{described, message, missing, said};

/// Reads a JSON text.
///
/// # Errors
/// The end of a sentence: `in line 3, “rank” is "four", and a whole number is expected`.
pub fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| {
        let again = |text: &str| serde_json::from_str::<T>(text).err();
        json_fault(text, &error, &again)
    })
}

/// What a parser could not read of a text, as the end of a sentence. `again` reads another text in the same way: what
/// it says to parts of this one tells which key is at fault.
fn json_fault(text: &str, error: &Error, again: &dyn Fn(&str) -> Option<Error>) -> String {
    let (line, column) = (error.line(), error.column());
    let place = if text.trim_end().contains('\n') && line > 0 { format!("in line {line}, ") } else { String::new() };
    match error.classify() {
        Category::Eof if text.trim().is_empty() => "it is empty".into(),
        Category::Eof => format!("it ends in line {line}, before it is complete: is it cut short?"),
        Category::Data => {
            let (path, found) = at_fault(text, error, again);
            format!("{place}{}", said(&message(error), &path, found.as_ref()))
        }
        Category::Syntax | Category::Io => match syntax_fault(text, error) {
            (Some(key), what) => format!("{place}“{key}” is {what}"),
            (None, what) => format!("line {line}, column {column} is not JSON: {what}"),
        },
    }
}

/// What a parser says of a part of a text, as a sentence without its place: whoever cut the part out knows that.
pub fn json_words(part: &str, error: &Error) -> String {
    if error.is_data() {
        let found = serde_json::Deserializer::from_str(part).into_iter().next().and_then(Result::ok);
        return said(&message(error), &[], found.as_ref());
    }
    match syntax_fault(part, error) {
        (Some(key), what) => format!("“{key}” is {what}"),
        (None, what) => what,
    }
}

/// Longer texts are not read again and again.
const MOST_BYTES: usize = 1 << 20;

/// Objects with more keys than this are not searched: no file of ours has as many.
const MOST_KEYS: usize = 64;

/// The path of the value that a reader refuses, and the value. The reader does not say it: a key is at fault if without
/// it another thing is said.
fn at_fault(text: &str, error: &Error, again: &dyn Fn(&str) -> Option<Error>) -> (Vec<String>, Option<Value>) {
    let whole = Some(text).filter(|text| text.len() <= MOST_BYTES);
    let Some(whole) = whole.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return (Vec::new(), None);
    };
    let told = message(error);
    let says = |value: &Value| again(&value.to_string()).map(|error| message(&error)).unwrap_or_default();
    // Of a value, whose keys have another order.
    if says(&whole) != told {
        return (Vec::new(), Some(whole));
    }
    let (mut path, mut at) = (Vec::new(), String::new());
    loop {
        let Some(value) = whole.pointer(&at) else { return (path, None) };
        let Some((key, pointer)) = part_at_fault(&whole, &at, value, &told, &says) else {
            return (path, Some(value.clone()));
        };
        path.push(key);
        at = pointer;
    }
}

/// The part of the value at a pointer that is at fault: its name, and the pointer to it.
fn part_at_fault(
    whole: &Value,
    at: &str,
    value: &Value,
    told: &str,
    says: &dyn Fn(&Value) -> String,
) -> Option<(String, String)> {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = whole.clone();
        changed.pointer_mut(at).into_iter().for_each(change);
        says(&changed)
    };
    let is_whole = |value: &Value| value.is_object() || value.is_array();
    // What is missing, or too short, is no single value.
    let can_be = |value: &Value| is_whole(value) || (missing(told).is_none() && !told.starts_with("invalid length "));
    // What is missing is missing here, if another thing is said where it stands here.
    let stands_here = |key: &str| with(&|value| value[key] = Value::Null) != told;
    if value.is_object() && missing(told).is_some_and(stands_here) {
        return None;
    }
    match value {
        Value::Object(entries) if entries.len() <= MOST_KEYS => {
            let without = |key: &str| {
                with(&|value| {
                    if let Value::Object(entries) = value {
                        entries.remove(key);
                    }
                })
            };
            let mut keys: Vec<(&String, &Value)> = entries.iter().filter(|(key, _)| without(key) != told).collect();
            // A key that says what the others mean matters, too. What stands there tells them apart, or that no other
            // name may stand there.
            let is_name = |key: &str| with(&|value| value[key] = Value::from("\0")).starts_with("unknown variant");
            keys.sort_by_cached_key(|(key, value)| (!described(value, told), !is_whole(value), is_name(key)));
            let (key, value) = *keys.first()?;
            can_be(value).then(|| (key.clone(), format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))))
        }
        Value::Array(items) => {
            // The shortest beginning to which the same is said.
            let (mut low, mut high) = (0, items.len());
            while low < high {
                let middle = low.midpoint(high);
                let same = with(&|value| {
                    if let Value::Array(items) = value {
                        items.truncate(middle);
                    }
                });
                if same == told { high = middle } else { low = middle + 1 }
            }
            let n = low.checked_sub(1)?;
            can_be(items.get(n)?).then(|| (format!("{}", n + 1), format!("{at}/{n}")))
        }
        _ => None,
    }
}

/// A measured number. JSON has none for what is not finite: null stands for it where it is written, and is read as NaN.
///
/// # Errors
/// Where the number is past all that 32 bits hold.
pub fn measured<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    use serde::Deserialize;
    match Option::<f64>::deserialize(deserializer)? {
        None => Ok(f32::NAN),
        Some(x) if (x as f32).is_finite() => Ok(x as f32),
        Some(x) => Err(serde::de::Error::custom(format!("{x:e} is no number from -3.4e38 to 3.4e38"))),
    }
}

#[cfg(test)]
mod tests;
