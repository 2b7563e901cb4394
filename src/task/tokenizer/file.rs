//! The file `tokenizer.json`: what is in it, and whether this loader can honour all of that.

use super::bpe::Bpe;
use super::byte_level::{byte_characters, token_bytes};
use super::codec::{Kind, Tokenizer};
use super::error::TokenizerError;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<Added>,
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
    #[serde(default)]
    decoder: Value,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
}

#[derive(Deserialize)]
struct Model {
    /// Older files leave it out where `merges` tell.
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: HashMap<String, u32>,
    #[serde(default)]
    merges: Vec<Merge>,
    unk_token: Option<String>,
    #[serde(default)]
    dropout: Value,
    #[serde(default)]
    continuing_subword_prefix: Value,
    #[serde(default)]
    end_of_word_suffix: Value,
    #[serde(default)]
    byte_fallback: Value,
    #[serde(default)]
    ignore_merges: Value,
}

/// Two neighbours; older files write them as one string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Joined(String),
}

impl Tokenizer {
    /// Reads and checks a `tokenizer.json`. The error names the key, what is there, and what this loader
    /// knows.
    pub fn from_json(text: &str) -> Result<Tokenizer, TokenizerError> {
        let file: File = serde_json::from_str(text).map_err(|e| TokenizerError::Json(e.to_string()))?;
        require("normalizer", &file.normalizer, "null", Value::is_null)?;
        let model = &file.model;
        let byte_level = match model.kind.as_deref() {
            Some("BPE") => true,
            None if !model.merges.is_empty() => true,
            Some("WordLevel") => false,
            other => {
                return Err(unsupported(
                    "model.type",
                    other.unwrap_or("missing"),
                    "BPE on bytes, or WordLevel on characters",
                ));
            }
        };
        let added = added_tokens(&file.added_tokens)?;
        let tokens = tokens_by_id(&model.vocab, &added)?;
        let (kind, bytes) = if byte_level { bpe(&file, &tokens)? } else { characters(&file, &tokens)? };
        let ids: HashMap<String, u32> = tokens.into_iter().zip(0..).collect();
        let begin = begin(&file.post_processor, &ids)?;
        Ok(Tokenizer { ids, bytes, begin, added, kind })
    }
}

/// What a post-processor puts in front of a single text: OPT's template has `</s>` there, GPT-2's moves
/// offsets alone, which nobody asks for here.
fn begin(processor: &Value, ids: &HashMap<String, u32>) -> Result<Vec<u32>, TokenizerError> {
    const KNOWN: &str = "null, ByteLevel, or TemplateProcessing with special tokens in front of the text";
    if processor.is_null() || processor["type"] == "ByteLevel" {
        return Ok(Vec::new());
    }
    let refused = || unsupported("post_processor", &shorten(&processor.to_string()), KNOWN);
    let single =
        processor["single"].as_array().filter(|_| processor["type"] == "TemplateProcessing").ok_or_else(refused)?;
    let (text, front) = single.split_last().ok_or_else(refused)?;
    if text["Sequence"]["id"] != "A" {
        return Err(refused());
    }
    let token = |piece: &Value| piece["SpecialToken"]["id"].as_str().and_then(|id| ids.get(id).copied());
    front.iter().map(|piece| token(piece).ok_or_else(refused)).collect()
}

fn bpe(file: &File, tokens: &[String]) -> Result<(Kind, Vec<Vec<u8>>), TokenizerError> {
    let model = &file.model;
    let byte_level = |v: &Value, prefix: bool| {
        v["type"] == "ByteLevel"
            && (v["use_regex"].is_null() || v["use_regex"] == true)
            && (!prefix || v["add_prefix_space"] == false)
    };
    require("pre_tokenizer", &file.pre_tokenizer, "ByteLevel with its regex and no prefix space", |v| {
        byte_level(v, true)
    })?;
    require("decoder", &file.decoder, "ByteLevel", |v| byte_level(v, false))?;
    require("model.dropout", &model.dropout, "null", |v| v.is_null() || v.as_f64() == Some(0.0))?;
    for (key, value) in [
        ("model.continuing_subword_prefix", &model.continuing_subword_prefix),
        ("model.end_of_word_suffix", &model.end_of_word_suffix),
    ] {
        require(key, value, "null or empty", |v| v.is_null() || v == "")?;
    }
    for (key, value) in [("model.byte_fallback", &model.byte_fallback), ("model.ignore_merges", &model.ignore_merges)] {
        require(key, value, "false", |v| v.is_null() || v == false)?;
    }

    let id = |token: &str| model.vocab.get(token).copied();
    let characters = byte_characters();
    let mut bytes = [0; 256];
    for (b, c) in characters.iter().enumerate() {
        let missing = || TokenizerError::Vocabulary(format!("the vocabulary has no token {c:?} for byte {b}"));
        bytes[b] = id(c.encode_utf8(&mut [0; 4])).ok_or_else(missing)?;
    }
    let mut merges = HashMap::with_capacity(model.merges.len());
    for (merge, rank) in model.merges.iter().zip(0..) {
        let (left, right) = match merge {
            Merge::Pair(left, right) => (left.as_str(), right.as_str()),
            Merge::Joined(joined) => joined.split_once(' ').unwrap_or((joined, "")),
        };
        let unknown = || {
            let found = format!(
                "merge {rank}, {}, is not of tokens of the vocabulary",
                shorten(&format!("{left:?} {right:?}"))
            );
            TokenizerError::Vocabulary(found)
        };
        let pair = (id(left).ok_or_else(unknown)?, id(right).ok_or_else(unknown)?);
        let becomes = id(&format!("{left}{right}")).ok_or_else(unknown)?;
        // A pair that stands there twice: the later rank counts, as Hugging Face's reader has it.
        merges.insert(pair, (rank, becomes));
    }
    let byte_of: HashMap<char, u8> = characters.into_iter().zip(0..=255).collect();
    // An added token, or any other that is not written in bytes' characters, is its own text.
    let text_of = |token: &String| token_bytes(token, &byte_of).unwrap_or_else(|| token.as_bytes().to_vec());
    Ok((Kind::ByteLevel(Box::new(Bpe { bytes, merges })), tokens.iter().map(text_of).collect()))
}

fn characters(file: &File, tokens: &[String]) -> Result<(Kind, Vec<Vec<u8>>), TokenizerError> {
    require("pre_tokenizer", &file.pre_tokenizer, "Split at the regex \".\", isolated", |v| {
        v["type"] == "Split" && v["pattern"]["Regex"] == "." && v["behavior"] == "Isolated" && v["invert"] != true
    })?;
    require("decoder", &file.decoder, "Fuse", |v| v["type"] == "Fuse")?;
    let name = file.model.unk_token.as_deref();
    match name.and_then(|token| file.model.vocab.get(token)) {
        Some(unknown) => {
            Ok((Kind::Characters { unknown: *unknown }, tokens.iter().map(|t| t.as_bytes().to_vec()).collect()))
        }
        None => Err(unsupported("model.unk_token", name.unwrap_or("null"), "a token of the vocabulary")),
    }
}

/// Added tokens, longest first.
fn added_tokens(added: &[Added]) -> Result<Vec<(String, u32)>, TokenizerError> {
    if let Some(token) = added.iter().find(|t| t.content.is_empty() || t.single_word || t.lstrip || t.rstrip) {
        let key = format!("added token {}", token.id);
        let found = if token.content.is_empty() { "empty" } else { "single_word, lstrip or rstrip" };
        return Err(unsupported(&key, found, "added tokens that match as they are"));
    }
    let mut added: Vec<(String, u32)> = added.iter().map(|t| (t.content.clone(), t.id)).collect();
    added.sort_by_key(|(content, _)| std::cmp::Reverse(content.len()));
    Ok(added)
}

/// The tokens in the order of their ids, which must be 0, 1, 2, … without a gap: a base has a row for each.
fn tokens_by_id(vocab: &HashMap<String, u32>, added: &[(String, u32)]) -> Result<Vec<String>, TokenizerError> {
    let mut tokens: Vec<(u32, &str)> = vocab.iter().map(|(token, id)| (*id, token.as_str())).collect();
    for (token, id) in added {
        match vocab.get(token) {
            None => tokens.push((*id, token)),
            Some(other) if other == id => {}
            Some(other) => {
                let found = format!("the added token {:?} has ids {id} and {other}", shorten(token));
                return Err(TokenizerError::Vocabulary(found));
            }
        }
    }
    tokens.sort_unstable();
    match tokens.iter().zip(0..).find(|((id, _), place)| id != place) {
        Some(((id, token), place)) => {
            let found =
                format!("ids must be 0, 1, 2, …, each once: in place {place} is {id}, of token {:?}", shorten(token));
            Err(TokenizerError::Vocabulary(found))
        }
        None => Ok(tokens.into_iter().map(|(_, token)| token.to_string()).collect()),
    }
}

fn require(
    key: &str,
    found: &Value,
    expected: &'static str,
    known: impl Fn(&Value) -> bool,
) -> Result<(), TokenizerError> {
    if known(found) { Ok(()) } else { Err(unsupported(key, &found.to_string(), expected)) }
}

fn unsupported(key: &str, found: &str, expected: &'static str) -> TokenizerError {
    TokenizerError::Unsupported { key: key.into(), found: shorten(found), expected }
}

/// What a message can hold of a file's contents.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shipped(base: &str) -> Value {
        let path = format!("{}/www/models/{base}/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// The message after one change to a shipped file.
    fn refusal(base: &str, pointer: &str, value: Value) -> String {
        let mut file = shipped(base);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match file.pointer_mut(parent).unwrap() {
            Value::Object(object) => object.insert(key.into(), value),
            other => Some(std::mem::replace(&mut other[key.parse::<usize>().unwrap()], value)),
        };
        Tokenizer::from_json(&file.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn other_kinds_are_refused_with_what_was_found_and_what_is_known() {
        for (base, pointer, value, message) in [
            (
                "rules",
                "/normalizer",
                json!({"type": "NFC"}),
                "normalizer is {\"type\":\"NFC\"}, this loader knows null",
            ),
            ("rules", "/model/type", json!("Unigram"), "model.type is Unigram, this loader knows BPE on bytes"),
            ("rules", "/pre_tokenizer/pattern/Regex", json!("\\w+"), "knows Split at the regex \".\""),
            ("rules", "/decoder", json!(null), "decoder is null, this loader knows Fuse"),
            ("rules", "/model/unk_token", json!("?"), "model.unk_token is ?,"),
            ("rules", "/model/vocab/z", json!(40), "in place 20 is 40, of token \"z\""),
            ("rules", "/model/vocab/z", json!(3), "each once: in place 4 is 3,"),
            ("rules", "/added_tokens/0/id", json!(3), "the added token \"<s>\" has ids 3 and 18"),
            ("rules", "/added_tokens/0/content", json!(""), "added token 18 is empty"),
            ("prose-nano", "/pre_tokenizer/add_prefix_space", json!(true), "no prefix space"),
            ("prose-nano", "/pre_tokenizer/use_regex", json!(false), "ByteLevel with its regex"),
            ("prose-nano", "/post_processor", json!({"type": "RobertaProcessing"}), "knows null, ByteLevel, or"),
            ("prose-nano", "/model/byte_fallback", json!(true), "model.byte_fallback is true"),
            (
                "prose-nano",
                "/model/merges/0",
                json!(["x", "no such token"]),
                "merge 0, \"x\" \"no such token\", is not",
            ),
            ("prose-nano", "/model/merges/1", json!("joined"), "merge 1,"),
            ("prose-nano", "/model/vocab", json!({"<|endoftext|>": 0, "a": 1}), "no token 'Ā' for byte 0"),
        ] {
            let refused = refusal(base, pointer, value);
            assert!(refused.contains(message), "{base} {pointer}: {refused}");
        }
    }

    #[test]
    fn a_template_s_special_tokens_begin_a_text() {
        let with = |single: Value| {
            let mut file = shipped("prose-nano");
            file["post_processor"] =
                json!({"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": {}});
            Tokenizer::from_json(&file.to_string()).map(|t| t.begin().to_vec())
        };
        let special = |id: &str| json!({"SpecialToken": {"id": id, "type_id": 0}});
        let text = json!({"Sequence": {"id": "A", "type_id": 0}});
        assert_eq!(with(json!([special("<|endoftext|>"), text])), Ok(vec![0]));
        assert_eq!(with(json!([text])), Ok(Vec::new()));
        // What stands behind the text, and a token that is none, cannot be honoured.
        assert!(with(json!([text, special("<|endoftext|>")])).is_err());
        assert!(with(json!([special("<bos>"), text])).unwrap_err().to_string().contains("post_processor"));
        assert!(with(json!([])).is_err());
    }

    #[test]
    fn broken_files_are_refused() {
        for text in [
            "",
            "{",
            "[]",
            "{}",
            "{\"model\":{\"vocab\":{\"a\":-1}}}",
            "{\"model\":{\"vocab\":{}}}",
            &"[".repeat(100_000),
        ] {
            assert!(Tokenizer::from_json(text).is_err());
        }
    }

    #[test]
    fn merges_may_be_strings_as_older_files_have_them() {
        let mut file = shipped("prose-nano");
        let newer = Tokenizer::from_json(&file.to_string()).unwrap();
        for merge in file["model"]["merges"].as_array_mut().unwrap() {
            *merge = json!(format!("{} {}", merge[0].as_str().unwrap(), merge[1].as_str().unwrap()));
        }
        file["model"].as_object_mut().unwrap().remove("type");
        let older = Tokenizer::from_json(&file.to_string()).unwrap();
        let text = "It was the best of times.";
        assert_eq!(older.encode(text), newer.encode(text));
        assert!(older.encode(text).len() < 15);
    }
}
