//! `vocab.json` and `merges.txt`: GPT-2's tokenizer in two files, as transformers reads it for GPT-2 and OPT,
//! with the settings that may stand beside them.

use super::ChatTemplate;
use super::codec::Tokenizer;
use super::error::TokenizerError;
use super::file::{Added, File, Merge, Model};
use crate::base::{read_json, shorten};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

const VOCABULARY: &str = "vocab.json";
const MERGES: &str = "merges.txt";
const SETTINGS: &str = "tokenizer_config.json";
const SPECIAL: &str = "special_tokens_map.json";
const ADDED: &str = "added_tokens.json";

/// The special tokens in the order in which transformers adds them; the first three have a default.
const NAMES: [&str; 7] = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
const DEFAULT: &str = "<|endoftext|>";

impl Tokenizer {
    /// What a base's files hold, by their names: `tokenizer.json`, or a vocabulary with its merges; a chat's template
    /// may stand beside them.
    pub fn from_files(files: &[(&str, String)]) -> Result<Tokenizer, TokenizerError> {
        let read = |name: &str| files.iter().find(|(file, _)| *file == name).map(|(_, text)| text.as_str());
        let mut tokenizer = match read("tokenizer.json") {
            Some(json) => Tokenizer::from_json(json)?,
            None => Tokenizer::from_vocabulary(read)?,
        };
        tokenizer.chat = ChatTemplate::beside(read);
        let end = tokenizer.chat.as_ref().and_then(|chat| tokenizer.token_to_id(&chat.end));
        tokenizer.ends_first_by(end);
        Ok(tokenizer)
    }

    /// The files of a byte-level BPE, each by its name where it is there. Ids are those of transformers'
    /// `GPT2Tokenizer`, which OPT has too.
    pub fn from_vocabulary<'a>(read: impl Fn(&str) -> Option<&'a str>) -> Result<Tokenizer, TokenizerError> {
        let missing = |file| TokenizerError::Json { file, fault: "it is missing".into() };
        let vocab: HashMap<String, u32> = of_json(VOCABULARY, read(VOCABULARY).ok_or_else(|| missing(VOCABULARY))?)?;
        let merges = merges(read(MERGES).ok_or_else(|| missing(MERGES))?)?;
        let settings = Settings::read(read)?;
        let added_tokens = settings.added(&vocab)?;
        let front = match settings.flag("add_bos_token")? {
            true => settings.special("bos_token")?.map(|token| json!({"SpecialToken": {"id": token.content}})),
            false => None,
        };
        let single: Vec<Value> = front.into_iter().chain([json!({"Sequence": {"id": "A"}})]).collect();
        let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true});
        let file = File {
            added_tokens,
            normalizer: Value::Null,
            pre_tokenizer: byte_level.clone(),
            post_processor: json!({"type": "TemplateProcessing", "single": single}),
            decoder: byte_level,
            model: Model::bpe(vocab, merges),
        };
        Tokenizer::of(&file).map_err(|e| e.of_file(VOCABULARY))
    }
}

fn of_json<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, TokenizerError> {
    read_json(text).map_err(|fault| TokenizerError::Json { file, fault })
}

/// Pairs, one a line, the earliest first; a line with the version may stand in front.
fn merges(text: &str) -> Result<Vec<Merge>, TokenizerError> {
    let lines = text.trim_end_matches(['\n', '\r']).lines().zip(1..).filter(|(line, _)| !line.starts_with("#version"));
    let pair = |(line, number): (&str, usize)| match line.split(' ').collect::<Vec<_>>().as_slice() {
        [left, right] if !left.is_empty() && !right.is_empty() => Ok(Merge::Pair((*left).into(), (*right).into())),
        _ => {
            let fault = format!("line {number}, {:?}, is not two tokens with a blank between them", shorten(line));
            Err(TokenizerError::Vocabulary { file: MERGES, fault })
        }
    };
    lines.filter(|(line, number)| *number > 1 || !line.is_empty()).map(pair).collect()
}

/// What stands beside the vocabulary.
struct Settings {
    keys: Map<String, Value>,
    /// Tokens that were added to the vocabulary, by the ids that the files give them.
    added: Vec<(u32, Added)>,
}

impl Settings {
    /// As transformers reads them: where the settings list added tokens, the other two files are not read.
    fn read<'a>(read: impl Fn(&str) -> Option<&'a str>) -> Result<Settings, TokenizerError> {
        let object = |file: &'static str| read(file).map_or_else(|| Ok(Map::new()), |text| of_json(file, text));
        let mut keys: Map<String, Value> = object(SETTINGS)?;
        let mut added = Vec::new();
        if let Some(listed) = keys.get("added_tokens_decoder") {
            let refused = || unsupported("added_tokens_decoder", listed, "tokens by their ids");
            for (id, token) in listed.as_object().ok_or_else(refused)? {
                added.push((id.parse().map_err(|_| refused())?, token_of(token).ok_or_else(refused)?));
            }
        } else {
            keys.extend(object(SPECIAL)?);
            let ids: HashMap<String, u32> =
                read(ADDED).map_or_else(|| Ok(HashMap::new()), |text| of_json(ADDED, text))?;
            added.extend(ids.into_iter().map(|(content, id)| (id, Added::plain(content))));
        }
        added.sort_unstable_by_key(|(id, _)| *id);
        let settings = Settings { keys, added };
        // Others have these two files, too, and cut a text otherwise.
        let class = settings.keys.get("tokenizer_class").filter(|class| !class.is_null());
        if let Some(other) = class.filter(|class| *class != "GPT2Tokenizer" && *class != "GPT2TokenizerFast") {
            return Err(unsupported("tokenizer_class", other, "GPT2Tokenizer; others have all in tokenizer.json"));
        }
        for key in ["add_prefix_space", "add_eos_token"] {
            if settings.flag(key)? {
                return Err(unsupported(key, &Value::Bool(true), "false"));
            }
        }
        Ok(settings)
    }

    /// A flag, off where it is missing or null.
    fn flag(&self, key: &str) -> Result<bool, TokenizerError> {
        match self.keys.get(key).filter(|value| !value.is_null()) {
            None => Ok(false),
            Some(Value::Bool(on)) => Ok(*on),
            Some(other) => Err(unsupported(key, other, "true or false")),
        }
    }

    /// A special token by its name; `None` where there is none.
    fn special(&self, name: &str) -> Result<Option<Added>, TokenizerError> {
        match self.keys.get(name) {
            None => Ok(NAMES[..3].contains(&name).then(|| Added::plain(DEFAULT.into()))),
            Some(Value::Null) => Ok(None),
            Some(token) => token_of(token).map(Some).ok_or_else(|| unsupported(name, token, "a token")),
        }
    }

    /// Tokens that are found before anything else: those that were added, then the special ones. One that the
    /// vocabulary lacks gets the next id.
    fn added(&self, vocab: &HashMap<String, u32>) -> Result<Vec<Added>, TokenizerError> {
        let mut tokens: Vec<(Option<u32>, Added)> = Vec::new();
        let named = NAMES.into_iter().map(|name| self.special(name)).collect::<Result<Vec<_>, _>>()?;
        let listed = ["additional_special_tokens", "extra_special_tokens"].into_iter();
        let listed = listed.filter_map(|key| self.keys.get(key)?.as_array()).flatten().filter_map(token_of);
        let added = self.added.iter().map(|(id, token)| (Some(*id), token.again()));
        for (id, token) in added.chain(named.into_iter().flatten().chain(listed).map(|token| (None, token))) {
            if tokens.iter().all(|(_, known)| known.content != token.content) {
                tokens.push((id, token));
            }
        }
        let mut next = u32::try_from(vocab.len()).unwrap_or(u32::MAX);
        for (said, token) in &mut tokens {
            token.id = vocab.get(&token.content).copied().unwrap_or(next);
            next = next.max(token.id.saturating_add(1));
            if let Some(said) = said.filter(|said| *said != token.id) {
                let fault =
                    format!("the added token {:?} has id {said}, its place is {}", shorten(&token.content), token.id);
                return Err(TokenizerError::Vocabulary { file: VOCABULARY, fault });
            }
        }
        Ok(tokens.into_iter().map(|(_, token)| token).collect())
    }
}

/// A token as a text, or as an object with its content and how it matches.
fn token_of(value: &Value) -> Option<Added> {
    match value {
        Value::String(content) => Some(Added::plain(content.clone())),
        Value::Object(_) => Added::deserialize(value).ok(),
        _ => None,
    }
}

fn unsupported(key: &str, found: &Value, expected: &'static str) -> TokenizerError {
    TokenizerError::Unsupported { file: SETTINGS, key: key.into(), found: shorten(&found.to_string()), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(path: &str) -> Value {
        let path = format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// `vocab.json` and `merges.txt` of a checkpoint that has `tokenizer.json`.
    fn apart(checkpoint: &str) -> HashMap<String, String> {
        let model = &fixture(&format!("own/{checkpoint}/tokenizer.json"))["model"];
        let pair = |merge: &Value| format!("{} {}\n", merge[0].as_str().unwrap(), merge[1].as_str().unwrap());
        let merges: String = model["merges"].as_array().unwrap().iter().map(pair).collect();
        [(VOCABULARY, model["vocab"].to_string()), (MERGES, format!("#version: 0.2\n{merges}"))]
            .map(|(name, text)| (name.to_string(), text))
            .into()
    }

    fn read(files: &HashMap<String, String>) -> Result<Tokenizer, TokenizerError> {
        Tokenizer::from_vocabulary(|name| files.get(name).map(String::as_str))
    }

    /// Ids that `AutoTokenizer` of transformers gives with the same files (`tools/fixtures/vocabulary.py`).
    #[test]
    fn ids_are_those_of_transformers() {
        let cases = fixture("vocabulary.json");
        let cases = cases.as_object().unwrap();
        assert!(cases.len() >= 8);
        for (name, case) in cases {
            let mut files = apart(case["checkpoint"].as_str().unwrap());
            let beside = case["files"].as_object().unwrap();
            files.extend(beside.iter().map(|(file, value)| (file.clone(), value.to_string())));
            let tokenizer = read(&files).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(tokenizer.vocab_size(), case["tokens"].as_u64().unwrap() as usize, "{name}");
            for (text, ids) in case["texts"].as_array().unwrap().iter().zip(case["ids"].as_array().unwrap()) {
                let ours: Vec<u32> =
                    tokenizer.begin().iter().copied().chain(tokenizer.encode(text.as_str().unwrap())).collect();
                let theirs: Vec<u32> = serde_json::from_value(ids.clone()).unwrap();
                assert_eq!(ours, theirs, "{name}: {text}");
            }
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_told_by_file_and_key() {
        for (file, text, told) in [
            (
                SETTINGS,
                r#"{"add_prefix_space": true}"#,
                "tokenizer_config.json: add_prefix_space is true, this loader knows false",
            ),
            (
                SETTINGS,
                r#"{"tokenizer_class": "Qwen2Tokenizer"}"#,
                "tokenizer_config.json: tokenizer_class is \"Qwen2Tokenizer\", this loader knows GPT2Tokenizer;",
            ),
            (SETTINGS, r#"{"tokenizer_class": "RobertaTokenizer"}"#, "tokenizer_config.json: tokenizer_class is"),
            (SETTINGS, r#"{"add_eos_token": true}"#, "tokenizer_config.json: add_eos_token is true"),
            (SETTINGS, r#"{"add_bos_token": "yes"}"#, "tokenizer_config.json: add_bos_token is \"yes\""),
            (SETTINGS, r#"{"bos_token": 7}"#, "tokenizer_config.json: bos_token is 7, this loader knows a token"),
            (SETTINGS, r#"{"added_tokens_decoder": {"x": "y"}}"#, "tokenizer_config.json: added_tokens_decoder is"),
            (
                SETTINGS,
                r#"{"added_tokens_decoder": {"900": {"content": "y!y"}}}"#,
                "vocab.json: the added token \"y!y\" has id 900, its place is 300",
            ),
            (SETTINGS, "{", "tokenizer_config.json is not readable: it ends in line 1"),
            (SPECIAL, "[]", "special_tokens_map.json is not readable: it is a list, and an object is expected"),
            (ADDED, r#"{"<x>": -1}"#, "added_tokens.json is not readable: “<x>” is -1, and a whole number is expected"),
            (VOCABULARY, r#"{"a": "b"}"#, "vocab.json is not readable: “a” is \"b\", and a whole number is expected"),
            (VOCABULARY, r#"{"a": 0}"#, "vocab.json: the vocabulary has no token \"Ċ\" for byte 10"),
            (MERGES, "#version: 0.2\nĠ b\na b c\n", "merges.txt: line 3, \"a b c\", is not two tokens"),
            (MERGES, "Ġ b\n\nĠ f\n", "merges.txt: line 2, \"\", is not two tokens"),
            (MERGES, "Ġ zzzz\n", "vocab.json: merge 0, \"Ġ\" \"zzzz\", is not of tokens"),
        ] {
            let mut files = apart("gpt2");
            files.insert(file.into(), text.into());
            let fault = read(&files).unwrap_err().to_string();
            assert!(fault.starts_with(told), "{told}: {fault}");
        }
        let without = |name: &str| {
            let mut files = apart("opt");
            files.remove(name);
            read(&files).unwrap_err().to_string()
        };
        assert_eq!(without(MERGES), "merges.txt is not readable: it is missing");
    }
}
