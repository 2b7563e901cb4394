//! The tokenizer of a file, as the text of a `tokenizer.json`.

use super::header::Gguf;
use super::metadata::{List, Value};
use crate::base::shorten;
use crate::model::files::TensorFileError;
use serde_json::{Map, Value as Json, json};

/// How a text is cut before it is merged, by `tokenizer.ggml.pre`.
struct Cut {
    pre_tokenizer: Json,
    normalizer: Json,
    /// A piece that is a token as it is, is not merged.
    ignore_merges: bool,
    /// Whether a text begins with the first token where the file does not say.
    begins: bool,
}

/// The pattern of Llama 3 and Qwen2, in which they differ by how many digits stay together.
fn pattern(digits: &str) -> String {
    format!(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
}

fn byte_level(regex: bool) -> Json {
    json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex})
}

fn sequence(steps: [Json; 2]) -> Json {
    json!({"type": "Sequence", "pretokenizers": steps})
}

fn split(regex: String) -> Json {
    let split = json!({"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false});
    sequence([split, byte_level(false)])
}

/// The names that are known, for a sentence.
const KNOWN: &str = "gpt-2, default, smollm, starcoder, llama-bpe and qwen2: take config.json, model.safetensors and tokenizer.json of the model that the file was made from";

fn plain(pre_tokenizer: Json) -> Cut {
    Cut { pre_tokenizer, normalizer: Json::Null, ignore_merges: false, begins: false }
}

/// Names that mean one way to cut, and the way.
type Named = (&'static [&'static str], fn() -> Cut);

/// The ways to cut by their names, as the models' own `tokenizer.json` has them.
const CUTS: [Named; 4] = [
    (&["gpt-2", "gpt2", "default", "phi-2", "mpt", "olmo"], || plain(byte_level(true))),
    (&["smollm", "starcoder", "refact"], || {
        plain(sequence([json!({"type": "Digits", "individual_digits": true}), byte_level(true)]))
    }),
    (&["llama-bpe", "llama3", "llama-v3"], || Cut {
        ignore_merges: true,
        begins: true,
        ..plain(split(pattern(r"\p{N}{1,3}")))
    }),
    (&["qwen2"], || Cut { normalizer: json!({"type": "NFC"}), ..plain(split(pattern(r"\p{N}"))) }),
];

/// How a file without a name is cut: it is old.
const UNNAMED: &str = "default";

/// The same for other programs: a list of names and the parts of a `tokenizer.json` under them, and whether a text
/// begins with the first token (`begins`).
pub fn cuts() -> Json {
    let one = |(names, cut): &Named| {
        let Cut { pre_tokenizer, normalizer, ignore_merges, begins } = cut();
        json!([names, {"pre_tokenizer": pre_tokenizer, "normalizer": normalizer, "ignore_merges": ignore_merges,
                       "begins": begins}])
    };
    CUTS.iter().map(one).collect()
}

impl Cut {
    fn named(name: &str) -> Option<Cut> {
        CUTS.iter().find(|(names, _)| names.contains(&name)).map(|(_, cut)| cut())
    }
}

/// The types of tokens that are found in a text before anything else.
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;

impl Gguf {
    /// The text of the `tokenizer.json` that the metadata describe.
    ///
    /// # Errors
    /// Where they describe none, or one of another kind than byte-level BPE.
    pub fn tokenizer_json(&self) -> Result<String, TensorFileError> {
        match self.text("tokenizer.ggml.model") {
            Some("gpt2") => {}
            found => {
                let known = match found {
                    Some("llama") => {
                        "gpt2, byte-level BPE. llama is SentencePiece, whose texts are cut otherwise: take a model with a tokenizer of that kind"
                    }
                    _ => "gpt2, byte-level BPE: take a model with a tokenizer of that kind",
                };
                return Err(self.refused("model", found.unwrap_or("missing"), known));
            }
        }
        let name = self.text("tokenizer.ggml.pre").unwrap_or(UNNAMED);
        let cut = Cut::named(name).ok_or_else(|| self.refused("pre", name, KNOWN))?;
        let tokens = self.texts("tokens")?;
        let merges = self.texts("merges")?;
        let kinds = match self.metadata.get("tokenizer.ggml.token_type") {
            None => &[][..],
            Some(Value::List(List::Integers(kinds))) if kinds.len() == tokens.len() => kinds,
            Some(other) => {
                return Err(self.refused("token_type", &other.shown(), "as many numbers as there are tokens"));
            }
        };
        let added =
            tokens.iter().zip(kinds).zip(0_u32..).filter(|((_, kind), _)| [CONTROL, USER_DEFINED].contains(kind));
        let added: Vec<Json> = added.map(|((token, kind), id)| added_token(token, id, *kind == CONTROL)).collect();
        let vocab: Map<String, Json> =
            tokens.iter().zip(0_u32..).map(|(token, id)| (token.clone(), id.into())).collect();
        if vocab.len() != tokens.len() {
            return Err(self.refused("tokens", "a list in which a token stands twice", "each token once"));
        }
        let merges: Vec<Json> = merges.iter().map(|merge| pair(merge)).collect();
        if self.flag("add_eos_token")?.unwrap_or(false) {
            return Err(self.refused("add_eos_token", "true", "false: no token is put behind a text here"));
        }
        let begin = match self.flag("add_bos_token")?.unwrap_or(cut.begins) {
            true => self.begin(tokens)?,
            false => byte_level(true),
        };
        let json = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
            "normalizer": cut.normalizer, "pre_tokenizer": cut.pre_tokenizer, "post_processor": begin,
            "decoder": byte_level(true),
            "model": {
                "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                "ignore_merges": cut.ignore_merges, "vocab": vocab, "merges": merges,
            },
        });
        Ok(json.to_string())
    }

    /// The token that ends a text, where the metadata name one.
    pub fn end(&self) -> Option<u32> {
        let id = self.metadata.get("tokenizer.ggml.eos_token_id").and_then(Value::size)?;
        u32::try_from(id).ok()
    }

    /// The post-processor that puts the first token in front of a text.
    fn begin(&self, tokens: &[String]) -> Result<Json, TensorFileError> {
        let id = self.metadata.get("tokenizer.ggml.bos_token_id").and_then(Value::size).filter(|id| *id < tokens.len());
        let Some(id) = id else {
            return Err(self.refused("bos_token_id", "no token of the list", "the token that a text begins with"));
        };
        let token = &tokens[id];
        let special = json!({"SpecialToken": {"id": token, "type_id": 0}});
        let text = |name: &str, number: u8| json!({"Sequence": {"id": name, "type_id": number}});
        let mut ids = Map::new();
        ids.insert(token.clone(), json!({"id": token, "ids": [id], "tokens": [token]}));
        Ok(json!({
            "type": "TemplateProcessing", "single": [special, text("A", 0)],
            "pair": [special, text("A", 0), special, text("B", 1)], "special_tokens": ids,
        }))
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, TensorFileError> {
        match self.metadata.get(&format!("tokenizer.ggml.{key}")) {
            None => Ok(None),
            Some(Value::Flag(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.refused(key, &other.shown(), "true or false")),
        }
    }

    fn texts(&self, key: &str) -> Result<&[String], TensorFileError> {
        match self.metadata.get(&format!("tokenizer.ggml.{key}")) {
            Some(Value::List(List::Texts(texts))) => Ok(texts),
            // An empty list may have any type.
            Some(Value::List(List::Others(0))) => Ok(&[]),
            Some(Value::List(List::Integers(all))) if all.is_empty() => Ok(&[]),
            Some(other) => Err(self.refused(key, &other.shown(), "a list of texts")),
            None => Err(self.refused(key, "missing", "a list of texts: convert the model again")),
        }
    }

    fn refused(&self, key: &str, found: &str, expected: &str) -> TensorFileError {
        let (file, key) = (self.file.clone(), format!("tokenizer.ggml.{key}"));
        TensorFileError::GgufKey { file, key, found: shorten(found), expected: expected.into() }
    }
}

fn added_token(content: &str, id: u32, special: bool) -> Json {
    json!({
        "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
        "special": special,
    })
}

/// Two neighbours, with a blank between them.
fn pair(merge: &str) -> Json {
    match merge.split_once(' ') {
        Some((left, right)) => json!([left, right]),
        None => json!([merge, ""]),
    }
}
