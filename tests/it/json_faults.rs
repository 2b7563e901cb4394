//! A value of another kind, wherever JSON is read: told by its key and by what is expected, never in the parser's words.

use peft_lab::base::read_json;
use peft_lab::experiments::pretrain::Recipe;
use peft_lab::experiments::sweep::{Measured, Sweep};
use peft_lab::interchange::RunFile;
use peft_lab::model::ModelConfig;
use peft_lab::model::files::ShardIndex;
use peft_lab::protocol::Command;
use peft_lab::task::tokenizer::Tokenizer;
use peft_lab::task::{Labelled, style, user_data};
use std::path::Path;

/// What only the parser says.
const ITS_WORDS: [&str; 12] = [
    "invalid type",
    "invalid value",
    "invalid length",
    "missing field",
    "unknown variant",
    "unknown field",
    "duplicate field",
    "EOF while",
    "expected value",
    "trailing characters",
    "at line",
    "`",
];

type Reader = fn(&str) -> Result<(), String>;

fn told<T, E: ToString>(read: Result<T, E>) -> Result<(), String> {
    read.map(drop).map_err(|e| e.to_string())
}

#[test]
fn no_reader_speaks_in_the_parser_s_words() {
    let run_file: Reader = |text| told(RunFile::read_all(text));
    let labelled: Reader = |text| told(Labelled::from_json(text));
    let texts: Reader = |text| told(style::Texts::from_json(text));
    let sweep: Reader = |text| told(Sweep::from_json(text));
    let measured: Reader = |text| told(read_json::<Measured>(text));
    let recipe: Reader = |text| told(Recipe::from_json(text));
    let config: Reader = |text| told(ModelConfig::from_json(text));
    let tokenizer: Reader = |text| told(Tokenizer::from_json(text));
    let shards: Reader = |text| told(ShardIndex::read(text));
    let command: Reader = |text| told(read_json::<Command>(text));
    let lines: Reader = |text| told(user_data::read("rows.jsonl", text.as_bytes()));
    let array: Reader = |text| told(user_data::read("rows.json", text.as_bytes()));
    let begun = r#"{"event":"made","version":"1","burn":"1","hardware":"h"}"#;
    let started = |fields: &str| format!("{begun}\n{{\"event\":\"started\",\"run\":1,{fields}}}");
    let rest =
        r#""device":"cpu","trainable":1,"total":2,"steps":3,"baselines":{"chance":0,"majority":0,"bag_of_words":0}"#;
    let cases: Vec<(&str, Reader, String, &str)> = vec![
        (
            "run file",
            run_file,
            format!("{begun}\n{{\"event\":\"step\",\"run\":\"one\"}}"),
            "line 2 of the run file is not an event: “run” is \"one\", and a whole number is expected",
        ),
        ("run file", run_file, started(r#""config":{"base":"rules"}"#), "“device” is missing"),
        (
            "run file",
            run_file,
            started(&format!(r#""config":{{"base":"rules","rank":"4000"}},{rest}"#)),
            "“config.rank”",
        ),
        (
            "run file",
            run_file,
            started(&format!(r#""config":{{"base":7}},{rest}"#)),
            "“config.base” is 7, and a text is expected",
        ),
        (
            "run file",
            run_file,
            r#"{"event":"evaluated","run":1,"step":1,"loss":[],"accuracy":0,"n":1}"#.into(),
            "“loss” is a list, and a number is expected",
        ),
        ("run file", run_file, r#"{"event":"finish","run":1}"#.into(), "“event” is \"finish\""),
        ("run file", run_file, r#"{"event":"paused","run":1,"step":"#.into(), "is it cut short?"),
        (
            "task",
            labelled,
            r#"{"labels":[{"label":"A"}],"training":[],"held_out":[]}"#.into(),
            "“labels.1.title” is missing",
        ),
        ("task", labelled, r#"{"labels":[],"training":[[0,"a"],["b"]],"held_out":[]}"#.into(), "“training.2"),
        ("texts", texts, r#"{"authors":{}}"#.into(), "“authors” is an object, and a list is expected"),
        (
            "texts",
            texts,
            r#"{"authors":[{"title":"t","training":5}]}"#.into(),
            "“authors.1.training” is 5, and a text is expected",
        ),
        (
            "sweep",
            sweep,
            r#"{"title":"t","question":"q","axis":"lr","grids":[{"lr":"0.1"}]}"#.into(),
            "“grids.1.lr” is \"0.1\", and a list is expected",
        ),
        ("sweep", sweep, "{\n\"title\":\"t\",\n\"axis\":\"lr\"}".into(), "“question” is missing"),
        (
            "points",
            measured,
            r#"{"title":"t","question":"q","axis":"lr","grids":[],"points":[{"config":{},"trainable":-1}]}"#.into(),
            "is expected",
        ),
        (
            "recipe",
            recipe,
            r#"{"id":"x","steps":"many"}"#.into(),
            "“steps” is \"many\", and a whole number is expected",
        ),
        ("recipe", recipe, "{".into(), "cut short"),
        ("config", config, "[1]".into(), "it holds a list"),
        ("config", config, "{\"n_embd\": Infinity}".into(), "“n_embd” is Infinity"),
        (
            "tokenizer",
            tokenizer,
            r#"{"model":{"vocab":{"a":"0"},"merges":[]}}"#.into(),
            "“model.vocab.a” is \"0\", and a whole number is expected",
        ),
        ("tokenizer", tokenizer, r#"{"model":7}"#.into(), "“model” is 7, and an object is expected"),
        ("shards", shards, "{\"weight_map\": {\"a\" \"b\"}}".into(), "a colon must follow a key"),
        (
            "command",
            command,
            r#"{"command":"dial","run":1,"lambda":"half"}"#.into(),
            "“lambda” is \"half\", and a number is expected",
        ),
        ("command", command, r#"{"command":"predict","run":1,"text":"a"}"#.into(), "is missing"),
        ("rows", lines, "{\"text\":\"a\",\"label\":\"b\"}\n{\"text\":\"c\",\"label\":NaN}".into(), "“label” is NaN"),
        ("rows", lines, "{\"text\":\"a\",\"label\":\"b\"}\n[1]".into(), "and an object is expected"),
        ("rows", lines, "{\"text\":\"a\",\"label\":\"b\"}\n{\"text\":\"c".into(), "is not closed with a quote"),
        ("rows", array, "[{\"text\":\"a\\q\"}]".into(), "what follows the backslash has no meaning"),
        ("rows", array, "[{\"text\":\"a\",\"n\":1e999}]".into(), "“n” is 1e999"),
    ];
    for (what, read, text, said) in cases {
        let found = read(&text).expect_err(&format!("{what}: {text}"));
        assert!(found.contains(said), "{what}: {text}: {found}");
        // What a row looks like is shown as JSON.
        for words in ITS_WORDS {
            assert!(!found.contains(words), "{what}: {text}: {found}");
        }
    }
}

/// Files of `src` below a folder.
fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false if path.extension().is_some_and(|ending| ending == "rs") => found.push(path),
            false => {}
        }
    }
}

#[test]
fn what_the_parser_says_is_shown_to_nobody() {
    let mut all = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    assert!(all.len() > 300, "{}", all.len());
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        if path.to_string_lossy().contains("base/json/") || path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        for (at, _) in code.match_indices("serde_json::from_") {
            let statement = code[at..].split([';', '{']).next().unwrap();
            let shows = statement.contains("map_err") && !statement.contains("value_fault");
            assert!(!shows, "{}: {statement}", path.display());
        }
    }
}

#[test]
fn null_is_a_measurement_that_is_not_finite_and_numbers_past_32_bits_are_refused() {
    let started = r#"{"event":"started","run":1,"config":{"base":"rules","task":"rules","method":"lora"},"device":"cpu","trainable":1,"total":2,"steps":3,"baselines":{"chance":0,"majority":0,"bag_of_words":0}}"#;
    let read = |line: &str| RunFile::read_all(&format!("{started}\n{line}"));
    let step = |loss: &str, norm: &str| {
        format!(r#"{{"event":"step","run":1,"step":1,"loss":{loss},"lr":0.1,"ms":1,"tokens":1,"grad_norm":{norm}}}"#)
    };
    let run = read(&step("null", "null")).unwrap().remove(0);
    assert!(run.losses[0].1.is_nan());
    // What was read is written as it was.
    assert_eq!(serde_json::to_string(&run.events[1]).unwrap(), step("null", "null").replace("\"ms\":1", "\"ms\":1.0"));
    let score = r#"{"event":"evaluated","run":1,"step":1,"loss":null,"accuracy":0.5,"n":4}"#;
    assert!(read(score).unwrap()[0].evaluations[0].1.is_nan());
    for (loss, norm, said) in [("1e300", "1", "“loss”: 1e300"), ("1", "-4e38", "“grad_norm”: -4e38")] {
        let found = read(&step(loss, norm)).unwrap_err().to_string();
        assert!(found.starts_with("line 2 of the run file") && found.contains(said), "{found}");
        assert!(found.contains("from -3.4e38 to 3.4e38"), "{found}");
    }
}
