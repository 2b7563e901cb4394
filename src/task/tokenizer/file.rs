//! The file `tokenizer.json`: what is in it, and whether this loader can honour all of that.

use super::bpe::Bpe;
use super::byte_level::{byte_characters, token_bytes};
use super::codec::{Kind, Tokenizer};
use super::error::TokenizerError;
use crate::base::read_json;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::HashMap;

const FILE: &str = "tokenizer.json";

/// What is in the file.
#[derive(Deserialize)]
pub(super) struct File {
    #[serde(default)]
    pub added_tokens: Vec<Added>,
    #[serde(default)]
    pub normalizer: Value,
    #[serde(default)]
    pub pre_tokenizer: Value,
    #[serde(default)]
    pub post_processor: Value,
    #[serde(default)]
    pub decoder: Value,
    pub model: Model,
}

/// A token that is found in a text before anything else.
#[derive(Deserialize)]
pub(super) struct Added {
    #[serde(default)]
    pub id: u32,
    pub content: String,
    #[serde(default)]
    pub single_word: bool,
    #[serde(default)]
    pub lstrip: bool,
    #[serde(default)]
    pub rstrip: bool,
}

impl Added {
    /// A token that matches as it is.
    pub fn plain(content: String) -> Added {
        Added { id: 0, content, single_word: false, lstrip: false, rstrip: false }
    }

    /// The same once more.
    pub fn again(&self) -> Added {
        Added { content: self.content.clone(), ..*self }
    }
}

/// Tokens and how they come about.
#[derive(Deserialize)]
pub(super) struct Model {
    /// Older files leave it out where `merges` tell.
    #[serde(rename = "type")]
    kind: Option<String>,
    pub vocab: HashMap<String, u32>,
    #[serde(default)]
    pub merges: Vec<Merge>,
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

impl Model {
    /// Byte-level BPE without further settings.
    pub fn bpe(vocab: HashMap<String, u32>, merges: Vec<Merge>) -> Model {
        Model {
            kind: Some("BPE".into()),
            vocab,
            merges,
            unk_token: None,
            dropout: Value::Null,
            continuing_subword_prefix: Value::Null,
            end_of_word_suffix: Value::Null,
            byte_fallback: Value::Null,
            ignore_merges: Value::Null,
        }
    }
}

/// Two neighbours; older files write them as one string.
pub(super) enum Merge {
    Pair(String, String),
    Joined(String),
}

/// By hand: serde would first copy each of them, and the page would carry the code for that.
impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Merge, D::Error> {
        struct Neighbours;
        impl<'de> Visitor<'de> for Neighbours {
            type Value = Merge;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("two neighbours, or both in one string")
            }

            fn visit_str<E>(self, joined: &str) -> Result<Merge, E> {
                Ok(Merge::Joined(joined.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Merge, A::Error> {
                match (pair.next_element()?, pair.next_element()?, pair.next_element::<String>()?) {
                    (Some(left), Some(right), None) => Ok(Merge::Pair(left, right)),
                    _ => Err(A::Error::custom("a merge is of two neighbours")),
                }
            }
        }
        deserializer.deserialize_any(Neighbours)
    }
}

impl Tokenizer {
    /// Reads and checks a `tokenizer.json`. The error names the key, what is there, and what this loader
    /// knows.
    pub fn from_json(text: &str) -> Result<Tokenizer, TokenizerError> {
        Tokenizer::of(&read_json(text).map_err(|fault| TokenizerError::Json { file: FILE, fault })?)
    }

    /// The tokenizer of a file, under its name or another's.
    pub(super) fn of(file: &File) -> Result<Tokenizer, TokenizerError> {
        require("normalizer", &file.normalizer, "null", |v| steps(v, "normalizers", &changes_nothing).is_empty())?;
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
        let (kind, bytes) = if byte_level { bpe(file, &tokens)? } else { characters(file, &tokens)? };
        let ids: HashMap<String, u32> = tokens.into_iter().zip(0..).collect();
        let begin = begin(&file.post_processor, &ids)?;
        Ok(Tokenizer { ids, bytes, begin, added, kind })
    }
}

/// What a part of the file comes to. A `Sequence` is its steps under the key `list`, and steps that do nothing
/// are left out: `tokenizers` writes one function in several forms.
fn steps<'a>(value: &'a Value, list: &str, idle: &dyn Fn(&Value) -> bool) -> Vec<&'a Value> {
    match value[list].as_array().filter(|_| value["type"] == "Sequence") {
        Some(all) => all.iter().flat_map(|step| steps(step, list, idle)).collect(),
        None if value.is_null() || idle(value) => Vec::new(),
        None => vec![value],
    }
}

/// A normalizer that leaves every text as it is.
fn changes_nothing(v: &Value) -> bool {
    v["type"] == "Strip" && v["strip_left"] == false && v["strip_right"] == false
        || v["type"] == "Prepend" && v["prepend"] == ""
}

/// What a post-processor puts in front of a single text: OPT's template has `</s>` there. GPT-2's moves
/// offsets alone, which nobody asks for here, and so it may also stand beside a template.
fn begin(processor: &Value, ids: &HashMap<String, u32>) -> Result<Vec<u32>, TokenizerError> {
    const KNOWN: &str = "null, ByteLevel, or TemplateProcessing with special tokens in front of the text";
    let refused = || unsupported("post_processor", &shorten(&processor.to_string()), KNOWN);
    let template = match steps(processor, "processors", &|v| v["type"] == "ByteLevel").as_slice() {
        [] => return Ok(Vec::new()),
        [template] if template["type"] == "TemplateProcessing" => *template,
        _ => return Err(refused()),
    };
    let (text, front) = template["single"].as_array().and_then(|single| single.split_last()).ok_or_else(refused)?;
    if text["Sequence"]["id"] != "A" {
        return Err(refused());
    }
    let mut begin = Vec::new();
    for piece in front {
        let name = piece["SpecialToken"]["id"].as_str().ok_or_else(refused)?;
        // The template's own list says which ids a name stands for; it is mostly the token's one.
        match template["special_tokens"][name]["ids"].as_array() {
            Some(listed) => {
                let known = |id: &Value| u32::try_from(id.as_u64()?).ok().filter(|id| (*id as usize) < ids.len());
                begin.extend(listed.iter().map(known).collect::<Option<Vec<u32>>>().ok_or_else(refused)?);
            }
            None => begin.push(ids.get(name).copied().ok_or_else(refused)?),
        }
    }
    Ok(begin)
}

/// Ways to write GPT-2's regular expression: its own, and tiktoken's two.
const GPT2_REGEX: [&str; 3] = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
];

/// Whether a pre-tokenizer cuts as GPT-2's does: by its own regular expression, or by the same one in front.
fn is_byte_level(v: &Value) -> bool {
    let bytes = |v: &Value, regex: bool| {
        v["type"] == "ByteLevel" && v["add_prefix_space"] == false && v["use_regex"].as_bool().unwrap_or(true) == regex
    };
    match steps(v, "pretokenizers", &|_| false).as_slice() {
        [only] => bytes(only, true),
        // The pieces leave nothing between them, so it is one whether these or what lies between is cut out.
        [split, behind] => {
            let regex = split["pattern"]["Regex"].as_str();
            let kept = split["behavior"] == "Isolated" && split["invert"] != true
                || split["behavior"] == "Removed" && split["invert"] == true;
            split["type"] == "Split" && kept && regex.is_some_and(|r| GPT2_REGEX.contains(&r)) && bytes(behind, false)
        }
        _ => false,
    }
}

fn bpe(file: &File, tokens: &[String]) -> Result<(Kind, Vec<Vec<u8>>), TokenizerError> {
    let model = &file.model;
    require("pre_tokenizer", &file.pre_tokenizer, "ByteLevel with its regex and no prefix space", is_byte_level)?;
    require(
        "decoder",
        &file.decoder,
        "ByteLevel",
        |v| matches!(steps(v, "decoders", &|v| v["type"] == "Fuse").as_slice(), [only] if only["type"] == "ByteLevel"),
    )?;
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
        let missing = || vocabulary(format!("the vocabulary has no token {c:?} for byte {b}"));
        bytes[b] = id(c.encode_utf8(&mut [0; 4])).ok_or_else(missing)?;
    }
    let mut merges = HashMap::with_capacity(model.merges.len());
    for (merge, rank) in model.merges.iter().zip(0..) {
        let (left, right) = match merge {
            Merge::Pair(left, right) => (left.as_str(), right.as_str()),
            Merge::Joined(joined) => joined.split_once(' ').unwrap_or((joined, "")),
        };
        let unknown = || {
            let pair = shorten(&format!("{left:?} {right:?}"));
            vocabulary(format!("merge {rank}, {pair}, is not of tokens of the vocabulary"))
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
    let only = |v: &Value, list: &str, known: &dyn Fn(&Value) -> bool| matches!(steps(v, list, &|_| false).as_slice(), [only] if known(only));
    let splits = |v: &Value| {
        v["type"] == "Split" && v["pattern"]["Regex"] == "." && v["behavior"] == "Isolated" && v["invert"] != true
    };
    require("pre_tokenizer", &file.pre_tokenizer, "Split at the regex \".\", isolated", |v| {
        only(v, "pretokenizers", &splits)
    })?;
    require("decoder", &file.decoder, "Fuse", |v| only(v, "decoders", &|v| v["type"] == "Fuse"))?;
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
                return Err(vocabulary(found));
            }
        }
    }
    tokens.sort_unstable();
    match tokens.iter().zip(0..).find(|((id, _), place)| id != place) {
        Some(((id, token), place)) => {
            let found =
                format!("ids must be 0, 1, 2, …, each once: in place {place} is {id}, of token {:?}", shorten(token));
            Err(vocabulary(found))
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
    TokenizerError::Unsupported { file: FILE, key: key.into(), found: shorten(found), expected }
}

fn vocabulary(fault: String) -> TokenizerError {
    TokenizerError::Vocabulary { file: FILE, fault }
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
mod tests;
