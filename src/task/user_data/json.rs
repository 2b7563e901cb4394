//! JSON: an object a line, or an array of objects. Lines end with `\n` here.

use super::decode::Lines;
use super::error::UserDataError;
use super::limits::MAX_CELLS;
use super::table::{Row, Table};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::collections::HashMap;

/// An object's members in their order.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Whether the first line that is not blank is an object.
pub fn looks_like_lines(text: &str) -> bool {
    let first = text.split(['\n', '\r']).find(|line| !line.trim().is_empty());
    first.is_some_and(|line| serde_json::from_str::<Object>(line).is_ok())
}

/// Whether an array begins whose first element is an object.
pub fn looks_like_array(text: &str) -> bool {
    text.trim_start().strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{'))
}

/// Reads an object a line; blank lines are skipped.
pub fn lines(text: &str) -> Result<Table, UserDataError> {
    let mut rows = Rows::default();
    for (text, line) in text.split('\n').zip(1..).filter(|(text, _)| !text.trim().is_empty()) {
        let object = serde_json::from_str(text).map_err(|e| UserDataError::Json {
            line,
            column: e.column(),
            message: without_place(&e),
            one_a_line: true,
        })?;
        rows.push(line, object)?;
    }
    rows.into_table()
}

/// Reads an array of objects.
pub fn array(text: &str) -> Result<Table, UserDataError> {
    let mut rows = Rows::default();
    let mut lines = Lines::new(text.as_bytes());
    let mut at = skip_blanks(text, 0) + 1;
    loop {
        at = skip_blanks(text, at);
        if rows.rows.is_empty() && text[at..].starts_with(']') {
            break;
        }
        let line = lines.at(at);
        let mut objects = serde_json::Deserializer::from_str(&text[at..]).into_iter();
        match objects.next() {
            Some(Ok(object)) => rows.push(line, object)?,
            Some(Err(e)) => return Err(element_fault(text, at, &e)),
            None => return Err(fault(text, at, "the array is not closed with ]")),
        }
        at = skip_blanks(text, at + objects.byte_offset());
        match text.as_bytes().get(at) {
            Some(b',') => at += 1,
            Some(b']') => break,
            _ => return Err(fault(text, at, "a comma or ] must follow an object of the array")),
        }
    }
    let end = skip_blanks(text, at + 1);
    if end < text.len() { Err(fault(text, end, "something follows the array")) } else { rows.into_table() }
}

fn skip_blanks(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start().len()
}

fn fault(text: &str, at: usize, message: &str) -> UserDataError {
    let line_begins = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let line = Lines::new(text.as_bytes()).at(at);
    UserDataError::Json { line, column: at - line_begins + 1, message: message.into(), one_a_line: false }
}

/// The fault of an element that begins at this offset: the reader counted from there.
fn element_fault(text: &str, at: usize, e: &serde_json::Error) -> UserDataError {
    let above: usize = text[at..].split_inclusive('\n').take(e.line() - 1).map(str::len).sum();
    fault(text, at + above + e.column().saturating_sub(1), &without_place(e))
}

/// The reader's message without its “ at line 1 column 2”.
fn without_place(e: &serde_json::Error) -> String {
    let message = e.to_string();
    message.rsplit_once(" at line ").map_or(message.as_str(), |(before, _)| before).into()
}

/// A table that grows columns as keys appear.
#[derive(Default)]
struct Rows {
    columns: Vec<String>,
    places: HashMap<String, usize>,
    rows: Vec<Row>,
}

impl Rows {
    fn push(&mut self, line: usize, object: Object) -> Result<(), UserDataError> {
        let mut cells = vec![None; self.columns.len()];
        for (key, value) in object.0 {
            let place = self.place(&key);
            cells.resize(self.columns.len(), None);
            let cell = match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => return Err(UserDataError::Nested { line, key }),
            };
            if cells[place].replace(cell).is_some() {
                return Err(UserDataError::RepeatedKey { line, key });
            }
        }
        if (self.rows.len() + 1).saturating_mul(self.columns.len()) > MAX_CELLS {
            return Err(UserDataError::TooManyCells { line });
        }
        self.rows.push(Row { line, cells: cells.into_iter().map(Option::unwrap_or_default).collect() });
        Ok(())
    }

    fn place(&mut self, key: &str) -> usize {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        self.places.insert(key.into(), self.columns.len());
        self.columns.push(key.into());
        self.columns.len() - 1
    }

    /// Rows before a key's first appearance have an empty cell there.
    fn into_table(mut self) -> Result<Table, UserDataError> {
        if self.columns.is_empty() {
            return Err(UserDataError::Empty);
        }
        for row in &mut self.rows {
            row.cells.resize(self.columns.len(), String::new());
        }
        Ok(Table { columns: self.columns, rows: self.rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(table: &Table) -> Vec<Vec<&str>> {
        table.rows.iter().map(|row| row.cells.iter().map(String::as_str).collect()).collect()
    }

    #[test]
    fn keys_are_columns_in_the_order_of_their_appearance() {
        let table = lines("{\"text\":\"a\\nb\",\"n\":1.5}\n\n{\"label\":true,\"text\":null}\n").unwrap();
        assert_eq!(table.columns, ["text", "n", "label"]);
        assert_eq!(cells(&table), [["a\nb", "1.5", ""], ["", "", "true"]]);
        assert_eq!(table.rows[1].line, 3);
    }

    #[test]
    fn an_array_of_objects_is_the_same_table() {
        let text = "\n[ {\"text\": \"a\",\n  \"n\": 1},\n\n {\"text\": \"b\"} ]\n";
        let table = array(text).unwrap();
        assert_eq!(cells(&table), [["a", "1"], ["b", ""]]);
        assert_eq!((table.rows[0].line, table.rows[1].line), (2, 5));
    }

    #[test]
    fn nested_values_and_repeated_keys_are_refused_with_line_and_key() {
        let nested = lines("{\"a\":1}\n{\"tags\":[]}").unwrap_err();
        assert_eq!(nested, UserDataError::Nested { line: 2, key: "tags".into() });
        assert!(nested.to_string().starts_with("On line 2, “tags” is a list or an object"));
        let repeated = array("[{\"a\":1},\n{\"b\":null,\"b\":2}]").unwrap_err();
        assert_eq!(repeated, UserDataError::RepeatedKey { line: 2, key: "b".into() });
    }

    #[test]
    fn a_line_that_is_no_object_is_refused_with_its_place() {
        for (text, place, message) in [
            ("{\"a\":1}\n\n{\"a\" 1}", "Line 3, column 6: ", "expected `:`"),
            ("{\"a\":1}\n5", "Line 2, column 1: ", "invalid type: integer `5`, expected an object. A row"),
            ("{\n\"a\":1\n}", "Line 1, column 1: ", "all on one line"),
            ("{\"a\":1} {\"a\":2}", "Line 1, column 9: ", "trailing characters"),
        ] {
            let refused = lines(text).unwrap_err().to_string();
            assert!(refused.starts_with(place) && refused.contains(message), "{refused}");
        }
    }

    #[test]
    fn a_broken_array_is_refused_with_its_place() {
        for (text, place, message) in [
            ("[\n {\"a\":1}\n {\"a\":2}]", "Line 3, column 2: ", "a comma or ]"),
            ("[{\"a\":1},\n{\"a\":\n oops}]", "Line 3, column 2: ", "expected value"),
            ("[{\"a\":1}, 5]", "Line 1, column 11: ", "expected an object"),
            ("[{\"a\":1},", "Line 1, column 10: ", "not closed"),
            ("[{\"a\":1},]", "Line 1, column 10: ", "expected"),
            ("[{\"a\":1}]\n[]", "Line 2, column 1: ", "something follows"),
            ("[", "Line 1, column 2: ", "not closed"),
        ] {
            let refused = array(text).unwrap_err().to_string();
            assert!(refused.starts_with(place) && refused.contains(message), "{refused}");
        }
    }

    #[test]
    fn no_objects_are_nothing() {
        assert_eq!(array("[]").unwrap_err(), UserDataError::Empty);
        assert_eq!(lines("{}\n{}").unwrap_err(), UserDataError::Empty);
    }

    #[test]
    fn many_rows_times_many_keys_are_refused() {
        let keys: Vec<String> = (0..4000).map(|i| format!("\"{i}\":1")).collect();
        let text = format!("{{{}}}\n{}", keys.join(","), "{}\n".repeat(1000));
        assert_eq!(lines(&text).unwrap_err(), UserDataError::TooManyCells { line: 1001 });
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(matches!(lines(&deep), Err(UserDataError::Json { line: 1, .. })));
    }
}
