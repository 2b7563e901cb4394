//! A checkpoint from the Hub: its name, the files that are needed of it, and how far they are.

use super::file::File;
use crate::bases::Checkpoint;
use crate::model::files::gguf::Gguf;
use crate::model::files::{ChatTemplate, ShardIndex};
use serde_json::Value;

/// The one host that is called, and only when a visitor says so.
pub const HUB: &str = "huggingface.co";

/// What a visitor asks for from the Hub.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hub {
    /// What is typed.
    pub name: String,
    /// How far it is.
    pub phase: HubPhase,
    /// Of the latest question: answers to earlier ones are of no use any more.
    pub number: u32,
}

/// How far a model of the Hub is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum HubPhase {
    /// Nothing was asked.
    #[default]
    Idle,
    /// The list of its files is on its way.
    Asked,
    /// What would be fetched.
    Listed(HubModel),
    /// It is on its way: bytes so far.
    Fetching(HubModel, u64),
    /// Why nothing comes of it, as a sentence.
    Failed(String),
}

/// The files of a model that are fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct HubModel {
    /// `owner/name`.
    pub id: String,
    /// Names and bytes, in the order in which they come.
    pub files: Vec<(String, u64)>,
}

/// What a visitor wishes of the Hub.
#[derive(Clone, Debug, PartialEq)]
pub enum HubWish {
    /// The field was edited.
    Type(String),
    /// The list of the files of the model that is named.
    List,
    /// These files.
    Fetch,
    /// To break off.
    Cancel,
}

/// What has come from the Hub.
#[derive(Clone, Debug, PartialEq)]
pub enum HubSaid {
    /// What would be fetched, or why nothing.
    Listed(Result<HubModel, String>),
    /// So many bytes are here.
    Bytes(u64),
    /// All files.
    Files(Vec<File>),
    /// Why they are not, as a sentence.
    Failed(String),
}

impl HubModel {
    /// Bytes in all.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }

    /// The model's name without its owner.
    pub fn name(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or(&self.id)
    }

    /// Where a file lies.
    pub fn address(&self, file: &str) -> String {
        format!("https://{HUB}/{}/resolve/main/{file}", self.id)
    }
}

/// The id and the file in what was typed: `owner/name`, `name`, an address of the Hub, and behind it a GGUF file.
///
/// # Errors
/// A sentence, where it is no name.
pub fn asked(text: &str) -> Result<(String, Option<String>), String> {
    let text = text.trim();
    let path = text.strip_prefix("https://").unwrap_or(text);
    let path = path.strip_prefix(HUB).unwrap_or(path).trim_matches('/');
    let parts: Vec<&str> = path.split('/').filter(|part| !["blob", "resolve", "tree", "main"].contains(part)).collect();
    let (parts, file) = match parts.split_last() {
        Some((last, rest)) if Gguf::claims(last) => (rest, Some(last.to_string())),
        _ => (parts.as_slice(), None),
    };
    let fits = |part: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && part.len() <= 96 && part.chars().all(plain) && !part.starts_with('.')
    };
    let named = matches!(parts.len(), 1 | 2) && parts.iter().all(fits) && file.as_deref().is_none_or(|f| fits(&f));
    match named {
        true => Ok((parts.join("/"), file)),
        false => Err(
            "A model of the Hub is called owner/name, such as HuggingFaceTB/SmolLM2-135M; behind it a GGUF file can be named."
                .into(),
        ),
    }
}

/// Where the list of a model's files lies.
pub fn listing(id: &str) -> String {
    format!("https://{HUB}/api/models/{id}?blobs=true")
}

/// The files that are needed of a model, from the Hub's answer.
///
/// # Errors
/// A sentence, where it is nothing that can be used.
pub fn needed(id: &str, file: Option<&str>, answer: &str) -> Result<HubModel, String> {
    let Ok(json) = serde_json::from_str::<Value>(answer) else {
        return Err(format!("{HUB} gave no list of the files of {id}."));
    };
    if json["gated"].as_bool() != Some(false) && !json["gated"].is_null() {
        return Err(format!(
            "{id} is gated: its owner asks who wants it. Accept that at {HUB}, fetch it there, and choose its folder here."
        ));
    }
    let siblings = json["siblings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let all: Vec<(String, u64)> = siblings
        .iter()
        .filter_map(|file| Some((file["rfilename"].as_str()?.to_string(), file["size"].as_u64().unwrap_or(0))))
        .filter(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .collect();
    let ggufs: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).filter(|name| Gguf::claims(name)).collect();
    let is_needed = |name: &str| match file {
        Some(file) => name == file,
        None => !Gguf::claims(name) && Checkpoint::claims(name) || BESIDE.contains(&name) || CHAT.contains(&name),
    };
    let has = |wanted: &str| all.iter().any(|(name, _)| name == wanted);
    let whole = has("model.safetensors") || has(ShardIndex::FILE);
    if let Some(file) = file.filter(|file| !has(file)) {
        return Err(format!("{id} has no file {file}. {}", offered(&ggufs)));
    }
    if file.is_none() && !whole {
        return Err(match ggufs.is_empty() {
            true => format!("{id} has no weights in safetensors: it cannot be read here."),
            false => format!("{id} has GGUF files alone: write one of them behind the name. {}", offered(&ggufs)),
        });
    }
    // Beside safetensors the same weights may stand in other formats; of vocabulary files one form is enough.
    let files = all.iter().filter(|(name, _)| is_needed(name) && !name.starts_with("pytorch_model"));
    let twice = |name: &str| {
        let of_weights = name.ends_with(".safetensors") || name == ShardIndex::FILE;
        has("tokenizer.json") && BESIDE.contains(&name)
            || of_weights && has("model.safetensors") && name != "model.safetensors"
    };
    let files: Vec<(String, u64)> = files.filter(|(name, _)| !twice(name)).cloned().collect();
    Ok(HubModel { id: id.into(), files })
}

/// What belongs to a tokenizer of two files.
const BESIDE: [&str; 4] = ["vocab.json", "merges.txt", "special_tokens_map.json", "added_tokens.json"];
/// What says how a chat is put together.
const CHAT: [&str; 2] = [ChatTemplate::SETTINGS, ChatTemplate::FILE];

fn offered(ggufs: &[&str]) -> String {
    match ggufs {
        [] => "There is no GGUF file in it.".into(),
        some => format!("There are: {}.", some.iter().take(12).copied().collect::<Vec<_>>().join(", ")),
    }
}

/// What an answer of the Hub other than a list means.
pub fn refused(id: &str, status: u16) -> String {
    match status {
        401 | 403 | 404 => format!(
            "{HUB} shows no public model {id}: the name is another, or it is private. What you may fetch there, you can choose here as a folder."
        ),
        429 => format!("{HUB} asks for patience (429): try again in a minute."),
        _ => format!("{HUB} answered {status}: try again later."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_as_people_copy_it() {
        let of = |text: &str| asked(text).map(|(id, file)| (id, file.unwrap_or_default()));
        for (text, id, file) in [
            (" HuggingFaceTB/SmolLM2-135M ", "HuggingFaceTB/SmolLM2-135M", ""),
            ("gpt2", "gpt2", ""),
            ("https://huggingface.co/EleutherAI/pythia-70m/tree/main", "EleutherAI/pythia-70m", ""),
            ("a/b-GGUF/b.Q4_1.gguf", "a/b-GGUF", "b.Q4_1.gguf"),
            ("https://huggingface.co/a/b/blob/main/b.gguf", "a/b", "b.gguf"),
        ] {
            assert_eq!(of(text), Ok((id.to_string(), file.to_string())), "{text}");
        }
        for bad in ["", "a/b/c", "https://example.com/a/b", "../x", "a b/c", "a/b?c", "a/#"] {
            assert!(asked(bad).unwrap_err().contains("owner/name"), "{bad}");
        }
    }

    fn list(files: &[&str]) -> String {
        let files: Vec<Value> =
            files.iter().zip(1..).map(|(name, n)| serde_json::json!({"rfilename": name, "size": n * 1000})).collect();
        serde_json::json!({"id": "a/b", "private": false, "gated": false, "siblings": files}).to_string()
    }

    fn names(file: Option<&str>, files: &[&str]) -> Result<Vec<String>, String> {
        Ok(needed("a/b", file, &list(files))?.files.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn of_a_model_the_files_come_that_are_read() {
        let all = [
            "README.md",
            "config.json",
            "generation_config.json",
            "merges.txt",
            "model.fp16.safetensors",
            "model.safetensors",
            "onnx/model.onnx",
            "pytorch_model.bin",
            "tokenizer.json",
            "vocab.json",
        ];
        assert_eq!(names(None, &all).unwrap(), ["config.json", "model.safetensors", "tokenizer.json"]);
        let without: Vec<&str> = all.into_iter().filter(|name| *name != "tokenizer.json").collect();
        assert_eq!(names(None, &without).unwrap(), ["config.json", "merges.txt", "model.safetensors", "vocab.json"]);
        let chats: Vec<&str> = all.into_iter().chain(["tokenizer_config.json", "chat_template.jinja"]).collect();
        assert_eq!(
            names(None, &chats).unwrap()[2..],
            ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]
        );
        let shards = ["config.json", ShardIndex::FILE, "model-00001-of-00001.safetensors", "tokenizer.json"];
        assert_eq!(names(None, &shards).unwrap(), shards);
        let ggufs = ["b.Q4_1.gguf", "b.Q8_0.gguf", "README.md"];
        assert_eq!(names(Some("b.Q8_0.gguf"), &ggufs).unwrap(), ["b.Q8_0.gguf"]);
        let model = needed("a/b", None, &list(&all)).unwrap();
        assert_eq!((model.bytes(), model.name()), (2000 + 6000 + 9000, "b"));
        assert_eq!(model.address("config.json"), "https://huggingface.co/a/b/resolve/main/config.json");
        assert_eq!(listing("a/b"), "https://huggingface.co/api/models/a/b?blobs=true");
    }

    #[test]
    fn what_cannot_be_used_is_said_before_it_is_fetched() {
        let told = |file, files: &[&str]| names(file, files).unwrap_err();
        assert!(told(None, &["config.json", "pytorch_model.bin"]).contains("no weights in safetensors"));
        assert!(told(None, &["b.Q4_1.gguf"]).contains("There are: b.Q4_1.gguf."));
        assert!(told(Some("c.gguf"), &["b.gguf"]).starts_with("a/b has no file c.gguf. There are: b.gguf."));
        let gated = list(&["config.json"]).replace("\"gated\":false", "\"gated\":\"manual\"");
        assert!(needed("a/b", None, &gated).unwrap_err().contains("is gated"));
        assert!(needed("a/b", None, "<html>").unwrap_err().contains("no list"));
        assert!(refused("a/b", 401).contains("private") && refused("a/b", 503).contains("503"));
    }
}
