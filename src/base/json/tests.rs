use super::*;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(dead_code, reason = "only reading it matters")]
enum Tagged {
    Step {
        step: usize,
        #[serde(deserialize_with = "measured")]
        loss: f32,
        #[serde(default)]
        tokens: f64,
        #[serde(default)]
        ms: f64,
    },
    Answers {
        items: Vec<Item>,
        pairs: Vec<(usize, String)>,
    },
    Failed {
        reason: Reason,
        message: String,
    },
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only reading it matters")]
struct Item {
    text: String,
    right: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    Load,
    Device,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only reading it matters")]
struct Part {
    size: u32,
    name: Option<String>,
}

fn told<T: DeserializeOwned>(text: &str) -> String {
    read_json::<T>(text).err().expect("a fault")
}

#[test]
fn a_value_of_another_kind_is_told_with_its_key_and_what_is_expected() {
    for (text, said) in [
        ("{}", "“size” is missing"),
        ("{\"size\": -1}", "“size” is -1, and a whole number is expected"),
        ("{\n\"size\": 1.5\n}", "in line 2, “size” is 1.5, and a whole number is expected"),
        ("{\"size\": 1, \"name\": [1]}", "“name” is a list, and a text is expected"),
        ("{\"size\": 1, \"size\": 2}", "“size” stands there twice"),
        ("{\"size\": 1, \"sise\": 2}", "“sise” is no key that is known there"),
        ("[]", "“size” is missing"),
        ("\"size\"", "it is \"size\", and an object is expected"),
    ] {
        let found = told::<Part>(text);
        // A list may stand for an object's values.
        assert!(found == said || (text == "[]" && found.contains("is expected")), "{text}: {found}");
    }
}

#[test]
fn the_key_is_found_where_another_key_says_what_is_read() {
    for (text, said) in [
        (r#"{"event":"step","loss":1}"#, "“step” is missing"),
        (r#"{"event":"step","step":"1","loss":1}"#, "“step” is \"1\", and a whole number is expected"),
        (r#"{"event":"step","step":1,"loss":"low"}"#, "“loss” is \"low\", and a number is expected"),
        (r#"{"event":"step","step":1,"loss":1e300}"#, "“loss”: 1e300 is no number from -3.4e38 to 3.4e38"),
        (r#"{"event":"step","step":1,"loss":1,"ms":true}"#, "“ms” is true, and a number is expected"),
        (r#"{"event":"stepped","step":1,"loss":1}"#, "“event” is \"stepped\", and step, answers, failed is expected"),
        (r#"{"step":1}"#, "“event” is missing"),
        (r#"{"event":"failed","reason":5,"message":"m"}"#, "“reason” is 5, "),
        (
            r#"{"event":"failed","reason":"crush","message":"m"}"#,
            "“reason” is \"crush\", and load or device is expected",
        ),
        (
            r#"{"event":"answers","items":[{"text":"a"},{"text":"b","right":"yes"}],"pairs":[]}"#,
            "“items.2.right” is \"yes\", and true or false is expected",
        ),
        (r#"{"event":"answers","items":[{"text":"a"},{"right":true}],"pairs":[]}"#, "“items.2.text” is missing"),
        (r#"{"event":"answers","items":[],"pairs":[[0,"a"],[1,2]]}"#, "“pairs.2.2” is 2, and a text is expected"),
        (
            r#"{"event":"answers","items":[],"pairs":[[0,"a"],[1]]}"#,
            "“pairs.2” is a list of 1, and a list of 2 is expected",
        ),
    ] {
        let found = told::<Tagged>(text);
        assert!(found.starts_with(said), "{text}: {found}");
    }
}

#[test]
fn what_is_no_json_is_told_with_its_place_or_its_key() {
    for (text, said) in [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("{\"size\": 1", "it ends in line 1, before it is complete: is it cut short?"),
        ("{\n\"size\": NaN}", "in line 2, “size” is NaN, and JSON has finite numbers alone: null stands for none"),
        (
            "{\"size\": -Infinity, \"name\": null}",
            "“size” is -Infinity, and JSON has finite numbers alone: null stands for none",
        ),
        (
            "{\"name\": null, \"size\" : Infinity}",
            "“size” is Infinity, and JSON has finite numbers alone: null stands for none",
        ),
        ("{\"size\": 1e999}", "“size” is 1e999, which is past all numbers that are read"),
        ("{\"size\" 1}", "line 1, column 9 is not JSON: a colon must follow a key"),
        ("{size: 1}", "line 1, column 2 is not JSON: a key stands in double quotes"),
        ("{\"size\": 1,}", "line 1, column 12 is not JSON: nothing follows the comma: leave it out"),
        ("{\"size\": 1} {}", "line 1, column 13 is not JSON: something follows the end"),
        ("{\"size\": one}", "line 1, column 10 is not JSON: no value begins like this"),
    ] {
        assert_eq!(told::<Part>(text), said, "{text}");
    }
}

#[test]
fn null_is_read_as_a_measurement_that_is_not_finite() {
    let read: Tagged = read_json(r#"{"event":"step","step":1,"loss":null}"#).unwrap();
    assert!(matches!(read, Tagged::Step { loss, .. } if loss.is_nan()));
}
