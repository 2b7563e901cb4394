//! What is wrong with a JSON text, in words of our own.

use serde_json::error::Category;

/// What a parser could not read, as the end of a sentence: `line 3, column 5 is not JSON`.
pub fn json_fault(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof if line <= 1 && column == 0 => "it is empty".into(),
        Category::Eof => format!("it ends in line {line}, before it is complete: is it cut short?"),
        Category::Data => match missing_field(&error.to_string()) {
            Some(field) => format!("“{field}” is missing"),
            None if line == 0 => "it holds another kind of value than it should".into(),
            None => format!("line {line}, column {column} holds another kind of value than it should"),
        },
        Category::Syntax | Category::Io => format!("line {line}, column {column} is not JSON"),
    }
}

/// The key in serde's “missing field `key`”: no other way to learn it.
fn missing_field(message: &str) -> Option<String> {
    let (field, _) = message.strip_prefix("missing field `")?.split_once('`')?;
    Some(field.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Part {
        #[expect(dead_code, reason = "only reading it matters")]
        size: u32,
    }

    #[test]
    fn a_fault_is_told_with_its_line_or_its_key() {
        for (text, told) in [
            ("", "it is empty"),
            ("{\"size\": 1", "it ends in line 1, before it is complete: is it cut short?"),
            ("{\n\"size\": NaN}", "line 2, column 9 is not JSON"),
            ("{}", "“size” is missing"),
            ("{\"size\": -1}", "line 1, column 11 holds another kind of value than it should"),
        ] {
            assert_eq!(json_fault(&serde_json::from_str::<Part>(text).unwrap_err()), told, "{text}");
        }
    }
}
