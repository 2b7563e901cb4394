//! The file `tokenizer.json`: what is in it, and whether this loader can honour all of that.

use super::added::{self, AddedTokens};
use super::bpe::{Bpe, Merges};
use super::byte_level::{byte_characters, token_bytes};
use super::codec::{Kind, Merged, Tokenizer, Whole};
use super::error::TokenizerError;
use super::forms::{
    FILE, PreTokenizer, begin, byte_decoder, normalizers, pre_tokenizer, require, shorten, steps, text_decoder,
    unsupported,
};
use super::normal::{Normal, normal};
use crate::base::read_json;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::HashMap;

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
    /// Found in the text after the normalizer.
    #[serde(default)]
    pub normalized: bool,
}

impl Added {
    /// A token that matches as it is.
    pub fn plain(content: String) -> Added {
        Added { id: 0, content, single_word: false, lstrip: false, rstrip: false, normalized: false }
    }

    /// The same once more.
    pub fn again(&self) -> Added {
        Added { content: self.content.clone(), ..*self }
    }

    /// What is looked for in a text after some steps.
    fn found_as(&self, steps: &[Normal]) -> added::Added {
        let Added { id, single_word, lstrip, rstrip, .. } = *self;
        added::Added { content: normal(&self.content, steps).into_owned(), id, single_word, lstrip, rstrip }
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
    #[serde(default)]
    fuse_unk: Value,
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
            fuse_unk: Value::Null,
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

/// What tokens are called that end a text: those of a chat, then those of a document.
const ENDS: [&str; 6] = ["<|im_end|>", "<|eot_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "</s>"];

impl Tokenizer {
    /// Reads and checks a `tokenizer.json`. The error names the key, what is there, and what this loader
    /// knows.
    pub fn from_json(text: &str) -> Result<Tokenizer, TokenizerError> {
        Tokenizer::of(&read_json(text).map_err(|fault| TokenizerError::Json { file: FILE, fault })?)
    }

    /// The tokenizer of a file, under its name or another's.
    pub(super) fn of(file: &File) -> Result<Tokenizer, TokenizerError> {
        let steps = normalizers(&file.normalizer)?;
        let model = &file.model;
        let merged = match model.kind.as_deref() {
            Some("BPE") => true,
            None if !model.merges.is_empty() => true,
            Some("WordLevel") => false,
            other => {
                let found = other.unwrap_or("missing");
                return Err(unsupported("model.type", found, "BPE, or WordLevel on characters"));
            }
        };
        if let Some(token) = file.added_tokens.iter().find(|t| t.content.is_empty()) {
            return Err(unsupported(&format!("added token {}", token.id), "empty", "added tokens with a text"));
        }
        let mut tokens = tokens_by_id(&model.vocab, &file.added_tokens)?;
        let ids: HashMap<String, u32> = tokens.iter().cloned().zip(0..).collect();
        // What stands in a text is what was found there.
        for token in file.added_tokens.iter().filter(|t| t.normalized) {
            tokens[token.id as usize] = token.found_as(&steps).content;
        }
        let (kind, bytes) = if merged { bpe(file, &tokens)? } else { characters(file, &tokens)? };
        let begin = begin(&file.post_processor, &ids)?;
        let added = |normalized: bool| {
            let these = file.added_tokens.iter().filter(|t| t.normalized == normalized);
            AddedTokens::new(these.map(|t| t.found_as(if normalized { &steps } else { &[] })).collect())
        };
        let ends = ENDS.iter().filter_map(|token| ids.get(*token).copied()).collect();
        Ok(Tokenizer {
            added: added(false),
            added_to_normal: added(true),
            ids,
            bytes,
            begin,
            ends,
            normal: steps,
            kind,
            chat: None,
        })
    }
}

fn bpe(file: &File, tokens: &[String]) -> Result<(Kind, Vec<Vec<u8>>), TokenizerError> {
    let model = &file.model;
    require("model.dropout", &model.dropout, "null", |v| v.is_null() || v.as_f64() == Some(0.0))?;
    for (key, value) in [
        ("model.continuing_subword_prefix", &model.continuing_subword_prefix),
        ("model.end_of_word_suffix", &model.end_of_word_suffix),
    ] {
        require(key, value, "null or empty", |v| v.is_null() || v == "")?;
    }
    for (key, value) in [("model.ignore_merges", &model.ignore_merges), ("model.fuse_unk", &model.fuse_unk)] {
        require(key, value, "true or false", |v| v.is_null() || v.is_boolean())?;
    }
    let fuse = model.fuse_unk == true;
    let only_added = file.added_tokens.iter().filter(|t| !model.vocab.contains_key(&t.content)).map(|t| t.id);
    let whole = |characters| {
        let whole = Whole { characters, only_added: only_added.collect() };
        (model.ignore_merges == true).then_some(whole)
    };

    match pre_tokenizer(&file.pre_tokenizer)? {
        PreTokenizer::Bytes(cuts) => {
            byte_decoder(&file.decoder)?;
            require("model.byte_fallback", &model.byte_fallback, "false", |v| v.is_null() || v == false)?;
            let written = byte_characters();
            let (bytes, unknown) = bytes(model, |b| written[b as usize].to_string(), false)?;
            let byte_of: HashMap<char, u8> = written.into_iter().zip(0..=255).collect();
            // An added token, or any other that is not written in bytes' characters, is its own text.
            let text_of = |token: &String| token_bytes(token, &byte_of).unwrap_or_else(|| token.as_bytes().to_vec());
            let bpe = Bpe { bytes, unknown, fuse, characters: HashMap::new(), merges: merges(model)? };
            let merged = Merged { metaspace: None, cuts, bpe, whole: whole(Some(written)), strip: 0 };
            Ok((Kind::Merged(Box::new(merged)), tokens.iter().map(text_of).collect()))
        }
        PreTokenizer::Characters(metaspace, cuts) => {
            require("model.byte_fallback", &model.byte_fallback, "true without ByteLevel", |v| v == true)?;
            let (mark, strip) = text_decoder(&file.decoder)?;
            let written = |b: u8| format!("<0x{b:02X}>");
            let (bytes, unknown) = bytes(model, written, true)?;
            let byte_of: HashMap<String, u8> = (0..=255).map(|b| (written(b), b)).collect();
            let text_of = |token: &String| match byte_of.get(token) {
                Some(b) => vec![*b],
                None => token.replace(mark, " ").into_bytes(),
            };
            let single = model.vocab.iter().filter_map(|(token, id)| {
                let mut characters = token.chars();
                Some((characters.next().filter(|_| characters.next().is_none())?, *id))
            });
            let bpe = Bpe { bytes, unknown, fuse, characters: single.collect(), merges: merges(model)? };
            let merged = Merged { metaspace, cuts, bpe, whole: whole(None), strip };
            Ok((Kind::Merged(Box::new(merged)), tokens.iter().map(text_of).collect()))
        }
    }
}

/// The ids of single bytes, and what stands for one that is none.
type Bytes = ([Option<u32>; 256], Option<u32>);

fn bytes(model: &Model, written: impl Fn(u8) -> String, all: bool) -> Result<Bytes, TokenizerError> {
    let ids: [Option<u32>; 256] = std::array::from_fn(|b| model.vocab.get(&written(b as u8)).copied());
    // What nearly every text has must be there. SmolLM2 lacks six control characters and bytes of far planes.
    let needed = |b: &u8| all || matches!(b, b'\n' | b' '..=b'~');
    if let Some(b) = (0..=255).filter(needed).find(|b| ids[*b as usize].is_none()) {
        return Err(vocabulary(format!("the vocabulary has no token {:?} for byte {b}", written(b))));
    }
    match model.unk_token.as_deref().filter(|_| ids.contains(&None)) {
        None => Ok((ids, None)),
        Some(name) => match model.vocab.get(name) {
            Some(unknown) => Ok((ids, Some(*unknown))),
            None => Err(unsupported("model.unk_token", name, "a token of the vocabulary")),
        },
    }
}

fn merges(model: &Model) -> Result<Merges, TokenizerError> {
    let id = |token: &str| model.vocab.get(token).copied();
    let mut merges = Merges::with_capacity(model.merges.len());
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
    Ok(merges)
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

/// The tokens in the order of their ids, which must be 0, 1, 2, … without a gap: a base has a row for each.
fn tokens_by_id(vocab: &HashMap<String, u32>, added: &[Added]) -> Result<Vec<String>, TokenizerError> {
    let mut tokens: Vec<(u32, &str)> = vocab.iter().map(|(token, id)| (*id, token.as_str())).collect();
    for Added { content: token, id, .. } in added {
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

fn vocabulary(fault: String) -> TokenizerError {
    TokenizerError::Vocabulary { file: FILE, fault }
}

#[cfg(test)]
mod tests;
