//! The families' tokenizers beside Hugging Face's `tokenizers` (`tools/fixtures/family_tokens.py`).

use super::Tokenizer;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What one tokenizer makes of every text.
#[derive(Deserialize)]
struct Expected {
    begin: Vec<u32>,
    rows: Vec<Row>,
}

/// Ids, and the text of these where it is another than the one that they came from.
#[derive(Deserialize)]
#[serde(untagged)]
enum Row {
    Same((Vec<u32>,)),
    Other(Vec<u32>, String),
}

struct Case {
    name: String,
    tokenizer: Tokenizer,
    texts: Vec<String>,
    expected: Expected,
}

/// All tokenizers of a folder.
fn cases(folder: &Path) -> Vec<Case> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let mut parts: BTreeMap<String, serde_json::Value> = serde_json::from_str(&read("texts.json")).unwrap();
    let texts: Vec<String> = serde_json::from_value(parts.remove("texts").unwrap()).unwrap();
    let case = |(name, value): (String, serde_json::Value)| Case {
        tokenizer: Tokenizer::from_json(&read(&format!("{name}.json"))).unwrap_or_else(|e| panic!("{name}: {e}")),
        texts: texts.clone(),
        expected: serde_json::from_value(value).unwrap(),
        name,
    };
    parts.into_iter().map(case).collect()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizers")
}

/// Checks every text, says how many there were, and shows the first that differ.
fn check(folder: &Path) -> usize {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for Case { name, tokenizer, texts, expected } in cases(folder) {
        assert_eq!(tokenizer.begin(), expected.begin, "{name}");
        assert_eq!(texts.len(), expected.rows.len(), "{name}");
        let before = wrong.len();
        for (text, row) in texts.iter().zip(&expected.rows) {
            let (ids, decoded) = match row {
                Row::Same((ids,)) => (ids, text),
                Row::Other(ids, decoded) => (ids, decoded),
            };
            let ours = tokenizer.encode(text);
            if ours != *ids {
                wrong.push(format!("{name}: {text:?}\n  ours   {ours:?}\n  theirs {ids:?}"));
            }
            let ours = tokenizer.decode(ids);
            if ours != *decoded {
                wrong.push(format!("{name}: {text:?}\n  ours   {ours:?}\n  theirs {decoded:?}"));
            }
        }
        checked += texts.len();
        println!("{name}: {} texts, {} differ", texts.len(), wrong.len() - before);
    }
    let told: String = wrong.iter().take(12).map(|fault| format!("{fault}\n")).collect();
    assert!(wrong.is_empty(), "{} differ:\n{told}", wrong.len());
    checked
}

#[test]
fn ids_and_texts_of_every_family_are_those_of_hugging_face() {
    assert!(check(&fixtures()) >= 1000);
}

/// The same over many more lines, where somebody made them: `family_tokens.py` says how.
#[test]
fn so_are_those_of_ten_thousand_lines() {
    if let Some(folder) = std::env::var_os("PEFT_LAB_TOKENIZERS") {
        check(Path::new(&folder));
    }
}

#[test]
fn texts_are_counted_as_they_are_encoded() {
    for Case { name, tokenizer, texts, .. } in cases(&fixtures()) {
        let lengths: Vec<usize> = texts.iter().map(|text| tokenizer.encode(text).len()).collect();
        for than in [0, 1, 2, 7, 40] {
            let longer = lengths.iter().filter(|n| **n > than).count();
            assert_eq!(tokenizer.longer(texts.iter().map(String::as_str), than), longer, "{name} {than}");
        }
    }
}

#[test]
fn a_megabyte_of_one_kind_takes_no_time_to_speak_of() {
    const UNITS: [&str; 10] = ["a", " ", "1", "\n", "é", "e\u{301}", "東", "<", "\u{0}", "🙂"];
    for (Case { name, tokenizer, .. }, skip) in cases(&fixtures()).into_iter().zip(0..) {
        for unit in [UNITS[0], UNITS[1 + skip % (UNITS.len() - 1)]] {
            let text = unit.repeat((1 << 20) / unit.len());
            let ids = tokenizer.encode(&text);
            assert!(!ids.is_empty() && ids.len() <= text.len() + 1, "{name} {unit:?}");
        }
    }
}

#[test]
fn tokens_behind_others_keep_their_blank() {
    for case in cases(&fixtures()) {
        let ids = case.tokenizer.encode("x and y");
        let at = ids.len() - 1;
        let whole = case.tokenizer.decode(&ids);
        let parts = case.tokenizer.decode(&ids[..at]) + &case.tokenizer.decode_on(&ids[at..]);
        assert_eq!(parts, whole, "{}", case.name);
    }
    let mistral = cases(&fixtures()).into_iter().find(|case| case.name == "mistral").unwrap().tokenizer;
    let (in_front, bytes) = (mistral.token_to_id("▁a").unwrap(), mistral.encode("é\u{4}")[1..].to_vec());
    assert_eq!((mistral.decode(&[in_front]), mistral.decode_on(&[in_front])), ("a".into(), " a".into()));
    assert_eq!(mistral.decode_on(&bytes), "é\u{4}");
}
