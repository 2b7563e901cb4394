//! JSON: an object a line, an array of objects, or one object that holds a table: pandas' layouts, and what the
//! viewer of data sets gives. Lines end with `\n` here.

mod document;
mod object;
mod places;
mod rows;

pub use document::{array, object};
pub use rows::lines;

use places::{elements, members, skip_blanks};
use serde::de::IgnoredAny;

/// How a JSON text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// An object a line.
    Lines,
    /// One array.
    Array,
    /// One object.
    Object,
}

/// The layout of a text that begins like JSON. More than one object, each on a line, are lines; so is what is
/// called so (`named_lines`) and is not one object.
pub fn layout(text: &str, named_lines: bool) -> Layout {
    let begins = text.trim_start();
    if begins.starts_with('[') {
        return Layout::Array;
    }
    let mut lines = begins.split(['\n', '\r']).filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let (is_whole, more) = (is_object(first), lines.next().is_some());
    let is_lines = if named_lines { (is_whole && more) || !is_one_object(text) } else { is_whole && more };
    if is_lines || !begins.starts_with('{') { Layout::Lines } else { Layout::Object }
}

/// The layout of a text that no name's ending announces; `None` where it is no JSON.
pub fn looks_like(text: &str) -> Option<Layout> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('[') {
        let rest = rest.trim_start();
        let is_array = rest.starts_with('{') || (rest.starts_with(['[', '"']) && is_array(text));
        return is_array.then_some(Layout::Array);
    }
    let first = text.split(['\n', '\r']).next().unwrap_or_default();
    (is_object(first) || (text.starts_with('{') && is_one_object(text))).then(|| layout(text, false))
}

fn is_object(line: &str) -> bool {
    line.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok()
}

fn is_one_object(text: &str) -> bool {
    let at = skip_blanks(text, 0);
    text[at..].starts_with('{') && members(text, at).is_ok_and(|(_, end)| skip_blanks(text, end) == text.len())
}

fn is_array(text: &str) -> bool {
    elements(text, skip_blanks(text, 0)).is_ok_and(|(_, end)| skip_blanks(text, end) == text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::user_data::error::UserDataError;
    use crate::task::user_data::table::Table;

    /// A text as its layout reads it.
    fn all(text: &str) -> Result<Table, UserDataError> {
        match layout(text, false) {
            Layout::Lines => lines(text),
            Layout::Array => array(text, None),
            Layout::Object => object(text, None),
        }
    }

    /// What every layout of one small table must give.
    fn is_small(text: &str) {
        let table = all(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(table.columns, ["remark", "mood"], "{text}");
        assert_eq!(cells(&table), [["a day", "good"], ["é", ""], ["1.5", "true"]], "{text}");
    }

    #[test]
    fn layouts_of_pandas_are_the_same_table() {
        for text in [
            // to_json(), with orient="columns", "index", "records", "split", "table"; to_dict("list").
            r#"{"remark":{"0":"a day","1":"é","2":1.5},"mood":{"0":"good","1":null,"2":true}}"#,
            r#"{"x":{"remark":"a day","mood":"good"},"y":{"remark":"é","mood":null},"z":{"remark":1.5,"mood":true}}"#,
            r#"{"4":{"remark":"a day","mood":"good"},"5":{"remark":"é"},"6":{"remark":1.5,"mood":true}}"#,
            r#"[{"remark":"a day","mood":"good"},{"remark":"é","mood":null},{"remark":1.5,"mood":true}]"#,
            r#"{"columns":["remark","mood"],"index":[0,1,2],"data":[["a day","good"],["é",null],[1.5,true]]}"#,
            r#"{"schema":{"fields":[{"name":"remark"}]},"data":[{"remark":"a day","mood":"good"},{"remark":"é","mood":null},{"remark":1.5,"mood":true}]}"#,
            "{\n \"remark\": [\"a day\", \"é\", 1.5],\n \"mood\": [\"good\", null, true]\n}\n",
        ] {
            is_small(text);
        }
        let values = array(r#"[["a day", "good"], ["a night", "bad"], ["a week", "good"]]"#, None).unwrap();
        assert_eq!((values.columns.join(" "), values.rows.len()), ("column 1 column 2".into(), 3));
        let named = array(r#"[["remark", "mood"], ["a day", "good"], ["a night", "bad"]]"#, Some(true)).unwrap();
        assert_eq!((named.columns.join(" "), named.rows.len()), ("remark mood".into(), 2));
    }

    #[test]
    fn rows_may_be_wrapped() {
        let rows = r#"[{"row_idx":0,"row":{"remark":"a day","mood":"good"},"truncated_cells":[]},
            {"row_idx":1,"row":{"remark":"é","mood":null},"truncated_cells":[]},
            {"row_idx":2,"row":{"remark":1.5,"mood":true},"truncated_cells":[]}]"#;
        is_small(&format!(r#"{{"features":[{{"name":"remark"}}],"rows":{rows},"num_rows_total":3}}"#));
        is_small(rows);
        is_small(&rows[1..rows.len() - 1].replace("},\n", "}\n"));
        let plain = r#"[{"remark":"a day","mood":"good"},{"remark":"é"},{"remark":1.5,"mood":true}]"#;
        is_small(&format!(r#"{{"version":"1.0","data":{plain}}}"#));
        is_small(&format!(r#"{{"reviews":{plain},"from":["here"]}}"#));
        let two = all(&format!(r#"{{"train":{plain},"test":{plain}}}"#)).unwrap_err().to_string();
        assert_eq!(two, "“train” and “test” both hold rows: give one of them as a file of its own.");
    }

    #[test]
    fn rows_know_their_line_in_every_layout() {
        let lines = |text: &str| all(text).unwrap().rows.iter().map(|row| row.line).collect::<Vec<_>>();
        assert_eq!(lines("{\"data\":\n[{\"a\":1},\n\n{\"a\":2}]}"), [2, 4]);
        assert_eq!(lines("{\"a\":{\"0\":1,\n\"1\":2},\n\"b\":{\"0\":1,\"1\":2}}"), [1, 2]);
        assert_eq!(lines("{\"columns\":[\"a\"],\"data\":[\n[1],\n[2]]}"), [2, 3]);
    }

    #[test]
    fn lists_of_different_lengths_are_refused_with_line_and_key() {
        for (text, said) in [
            ("{\"a\":[1,2],\n\"b\":[3]}", "On line 2, “b” has 1 value, and “a” has 2"),
            (
                "{\"columns\":[\"a\",\"b\"],\"data\":[[1,2],\n[3]]}",
                "The row on line 2 has 1 value, and the columns are 2",
            ),
            ("[[1,2],[3,4],\n[5,6,7]]", "The row on line 2 has 3 values, and the first has 2"),
            ("{\"a\":{\"0\":1},\n\"a\":{\"0\":2}}", "On line 2, the key “a” stands there twice"),
        ] {
            let refused = all(text).unwrap_err().to_string();
            assert!(refused.starts_with(said), "{text}: {refused}");
        }
    }

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
        let table = array(text, None).unwrap();
        assert_eq!(cells(&table), [["a", "1"], ["b", ""]]);
        assert_eq!((table.rows[0].line, table.rows[1].line), (2, 5));
    }

    #[test]
    fn nested_columns_are_left_out_and_told_with_their_line() {
        let table = lines("{\"a\":1,\"b\":\"x\"}\n{\"tags\":[],\"a\":2,\"b\":\"y\",\"meta\":{\"c\":1}}").unwrap();
        assert_eq!(table.columns, ["a", "b"]);
        assert_eq!(cells(&table), [["1", "x"], ["2", "y"]]);
        let told = table.notes.nested.iter().map(|column| (column.key.as_str(), column.line));
        assert_eq!(told.collect::<Vec<_>>(), [("tags", 2), ("meta", 2)]);
    }

    #[test]
    fn nested_values_that_leave_no_two_columns_and_repeated_keys_are_refused() {
        let nested = lines("{\"a\":1}\n{\"tags\":[]}").unwrap_err();
        assert!(nested.to_string().starts_with("On line 2, “tags” is an empty list: a cell is text"), "{nested}");
        let repeated = all("[{\"a\":1},\n{\"b\":null,\"b\":2}]").unwrap_err();
        assert_eq!(repeated, UserDataError::RepeatedKey { line: 2, key: "b".into() });
    }

    #[test]
    fn lists_of_one_value_are_that_value() {
        for text in [
            "{\"text\":\"one\",\"label\":[1]}\n{\"text\":\"two\",\"label\":[0]}\n{\"text\":\"three\",\"label\":[]}",
            "[{\"text\":[\"one\"],\"label\":1},{\"text\":[\"two\"],\"label\":[0]},{\"text\":\"three\",\"label\":null}]",
            "{\"text\":[\"one\",\"two\",\"three\"],\"label\":[[1],[0],[null]]}",
        ] {
            let table = all(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(cells(&table), [["one", "1"], ["two", "0"], ["three", ""]], "{text}");
            assert!(table.notes.nested.is_empty());
            assert!(table.notes.sentences()[0].starts_with("Lists of one value"), "{:?}", table.notes);
        }
        // With two in one row they are no labels, and that row is told.
        let two = all("{\"text\":\"one\",\"mood\":[\"a\"]}\n{\"text\":\"two\",\"mood\":[\"a\",\"b\"]}").unwrap_err();
        assert!(two.to_string().starts_with("On line 2, “mood” is a list of 2 values:"), "{two}");
    }

    #[test]
    fn a_nested_label_or_text_is_what_is_told_and_no_other_column() {
        let row = |i: usize, rest: &str| format!("{{\"id\":{i},\"source\":\"web\",{rest}}}\n");
        let file = |rest: &str| (0..30).map(|i| row(i, &rest.replace('$', &i.to_string()))).collect::<String>();
        for (rest, said) in [
            (r#""text":"text number $","label":{"id":1,"name":"good"}"#, "On line 1, “label” is an object:"),
            (r#""review":"text number $","sentiment":["a","b"]"#, "On line 1, “sentiment” is a list of 2 values:"),
            (
                r#""text":"text number $","Category":[{"a":1}]"#,
                "On line 1, “Category” is a list of a list or an object:",
            ),
            (
                r#""messages":[{"role":"user","content":"Hello $"}]"#,
                "On line 1, “messages” is a conversation, and rows",
            ),
            (
                r#""conversations":[{"from":"human","value":"$"},{"from":"gpt","value":"b"}],"lang":"en""#,
                "On line 1, “conversations” is a conversation",
            ),
            (r#""text":{"en":"a $"},"label":"x""#, "On line 1, “text” is an object:"),
        ] {
            let fault = all(&file(rest)).unwrap_err().to_string();
            assert!(fault.starts_with(said), "{rest}: {fault}");
        }
        // A split is no label, when the label is there and cannot be read.
        let parts = file(r#""text":"text $","label":{"n":1},"split":"@""#);
        let parts: String =
            parts.lines().enumerate().map(|(i, l)| l.replace('@', ["train", "test"][i % 2]) + "\n").collect();
        assert!(all(&parts).unwrap_err().to_string().starts_with("On line 1, “label” is an object"));
        // Nor are values that never come again, of few rows.
        let few: String = (0..9).map(|i| format!("{{\"said\":\"walk {i}\",\"idx\":{i},\"label\":[0,1]}}\n")).collect();
        assert!(all(&few).unwrap_err().to_string().starts_with("On line 1, “label” is a list of 2 values"));
        // Beside a text and a label of their own they do not matter.
        let used = file(r#""text":"text $","mood":"@","label":{"n":1},"messages":[{"role":"user","content":"a"}]"#);
        let used: String =
            used.lines().enumerate().map(|(i, l)| l.replace('@', ["good", "bad"][i % 2]) + "\n").collect();
        assert_eq!(all(&used).unwrap().columns, ["id", "source", "text", "mood"]);
    }

    #[test]
    fn lists_without_rows_and_values_without_labels_are_called_so() {
        for (text, said) in [
            ("{\"rows\": []}", "On line 1, “rows” is an empty list: give at least 4 rows"),
            ("{\"version\":2,\n\"data\":[]}", "On line 2, “data” is an empty list"),
            ("{\"train\":[],\"test\":[]}", "On line 1, “train” is an empty list"),
            ("{\"columns\":[\"text\",\"label\"],\"data\":[]}", "On line 1, “data” is an empty list"),
            (
                "[\"a day\",\n\"a night\"]",
                "The list on line 1 has texts and no labels: give each a label, as in {\"text\"",
            ),
            ("[1, 2]", "The list on line 1 has values and no labels"),
            ("\"a day\"\n\"a night\"", "The list on line 1 has texts"),
            ("{\"version\":1,\"texts\":\n[\"a day\",\"a night\"]}", "On line 2, “texts” has texts and no labels"),
        ] {
            let fault = all(text).unwrap_err().to_string();
            assert!(fault.starts_with(said), "{text}: {fault}");
        }
        assert_eq!(looks_like("[\"a\", \"b\"]"), Some(Layout::Array));
        assert_eq!(looks_like("[\"a\", b]"), None);
    }

    #[test]
    fn a_line_that_is_no_object_is_refused_with_its_place() {
        for (text, place, message) in [
            ("{\"a\":1}\n\n{\"a\" 1}", "Line 3, column 6: ", "a colon must follow a key"),
            ("{\"a\":1}\n5", "Line 2, column 1: ", "it is 5, and an object is expected. A row"),
            ("{\n\"a\":1\n}", "Line 1, column 1: ", "all on one line"),
            ("{\"a\":1} {\"a\":2}", "Line 1, column 9: ", "something follows the end"),
        ] {
            let refused = lines(text).unwrap_err().to_string();
            assert!(refused.starts_with(place) && refused.contains(message), "{refused}");
        }
    }

    #[test]
    fn a_broken_array_is_refused_with_its_place() {
        for (text, place, message) in [
            ("[\n {\"a\":1}\n {\"a\":2}]", "Line 3, column 2: ", "a comma or ]"),
            ("[{\"a\":1},\n{\"a\":\n oops}]", "Line 3, column 2: ", "no value begins like this"),
            ("[{\"a\":1}, 5]", "Line 1, column 11: ", "an object is expected"),
            ("[{\"a\":1},", "Line 1, column 10: ", "not closed"),
            ("[{\"a\":1},]", "Line 1, column 10: ", "no value begins"),
            ("[{\"a\":1}]\n[]", "Line 2, column 1: ", "something follows"),
            ("[", "Line 1, column 2: ", "not closed"),
        ] {
            let refused = array(text, None).unwrap_err().to_string();
            assert!(refused.starts_with(place) && refused.contains(message), "{refused}");
        }
    }

    #[test]
    fn no_objects_are_nothing() {
        assert_eq!(array("[]", None).unwrap_err(), UserDataError::Empty);
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
