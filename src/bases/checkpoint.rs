//! The files of a checkpoint, looked at before its numbers are read: which of them are used, whether they fit
//! each other, and what is said where they do not. The page and the command line ask here, so that both say
//! the same.

use crate::base::{shorten, stem};
use crate::model::files::gguf::Gguf;
use crate::model::files::{ChatTemplate, Header, ShardIndex, foreign, matrix_bytes, pickle, stand_in, survey};
use crate::model::{ModelConfig, ModelConfigError};
use serde_json::Value;

/// A file as far as it has to be seen: [`seen`](Part::seen) says how far that is.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Its name without folders.
    pub name: &'a str,
    /// Its bytes in all.
    pub size: u64,
    /// The first of them.
    pub head: &'a [u8],
}

impl Part<'_> {
    /// How many of a file's first bytes are looked at, where `first` are the first of them, eight at least: whole
    /// lists, headers of weights, and of all else enough to know what it is. Where the answer is more than there
    /// are, read so many and ask again: not every header says how long it is.
    pub fn seen(name: &str, size: u64, first: &[u8]) -> u64 {
        const ENOUGH: u64 = 256;
        match name {
            CONFIG | ShardIndex::FILE | ChatTemplate::SETTINGS => size.min(64 << 20),
            name if Gguf::claims(name) && stand_in(name, first).is_none() => Gguf::seen(first, size),
            name if name.ends_with(".safetensors") && foreign(name, first).is_none() => Header::bytes(first, size),
            _ => size.min(ENOUGH),
        }
    }

    fn text(&self) -> Result<&str, String> {
        match foreign(self.name, self.head) {
            Some(told) => Err(told),
            None => std::str::from_utf8(self.head).map_err(|_| format!("{} is not text", self.name)),
        }
    }
}

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";
/// Byte-level BPE in two files, and what may stand beside them.
const VOCABULARY: [&str; 2] = ["vocab.json", "merges.txt"];
const BESIDE_VOCABULARY: [&str; 3] = [ChatTemplate::SETTINGS, "special_tokens_map.json", "added_tokens.json"];
const TOGETHER: &str = "a checkpoint is config.json, model.safetensors and tokenizer.json together, or one GGUF file";

/// A checkpoint whose files fit each other, as far as their beginnings tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What it is called: by its folder, or by itself.
    pub name: String,
    /// The text of `config.json`, or what a file says in its place.
    pub config: String,
    /// Its shape.
    pub model: ModelConfig,
    /// Names of the files with weights: `model.safetensors`, or the index and its shards.
    pub weights: Vec<String>,
    /// Names of the files of the tokenizer.
    pub tokenizer: Vec<String>,
    /// Bytes of the weights.
    pub bytes: u64,
    /// Bytes of the matrices that θ may hold as they are.
    pub matrices: u64,
    /// In what format the weights are.
    pub format: &'static str,
    /// Bytes of the weights by type, the most first.
    pub types: Vec<(String, u64)>,
}

impl Checkpoint {
    /// Whether a file's name alone tells that it belongs to a checkpoint.
    pub fn claims(name: &str) -> bool {
        [CONFIG, TOKENIZER, VOCABULARY[0], ShardIndex::FILE].contains(&name)
            || name.starts_with("model") && name.ends_with(".safetensors")
            || name.starts_with("pytorch_model") && name.contains(".bin")
            || Gguf::claims(name)
    }

    /// Looks at the files of a folder, or at those that were chosen together. The error is a sentence without
    /// its full stop.
    pub fn of(folder: Option<&str>, parts: &[Part<'_>]) -> Result<Checkpoint, String> {
        let find = |name: &str| parts.iter().find(|part| part.name == name);
        let ends = |ends: &[&str]| parts.iter().find(|part| ends.iter().any(|end| part.name.ends_with(end)));
        let whole: Vec<&Part<'_>> = parts.iter().filter(|part| Gguf::claims(part.name)).collect();
        if find(WEIGHTS).is_none() && find(ShardIndex::FILE).is_none() {
            match whole.as_slice() {
                [] => {}
                [part] => return Checkpoint::of_gguf(part),
                [one, other, ..] => {
                    let names = format!("{} and {}", one.name, other.name);
                    return Err(format!("{names} are two models, each whole: choose one of them by itself"));
                }
            }
            if let Some(file) = ends(&[".ggml"]) {
                return Err(format!(
                    "{} is of a format that llama.cpp itself reads no more: convert the model again, to GGUF",
                    file.name
                ));
            }
        }
        let config = find(CONFIG).ok_or(format!("{CONFIG} is missing: {TOGETHER}"))?.text()?;
        let model = ModelConfig::from_json(config).map_err(|e: ModelConfigError| e.to_string())?;
        let (index, weights) = match (find(WEIGHTS), find(ShardIndex::FILE)) {
            (Some(part), _) => (None, vec![part]),
            (None, Some(index)) => {
                let index = ShardIndex::read(index.text()?).map_err(|e| e.to_string())?;
                let shards = index.files();
                let shards = shards.iter().map(|file| find(file).ok_or_else(|| index.missing(file).to_string()));
                let shards: Vec<&Part<'_>> = shards.collect::<Result<_, _>>()?;
                (Some(index), shards)
            }
            (None, None) => return Err(without_weights(parts)),
        };
        let headers = weights.iter().map(|part| Header::read(part.name, part.head, part.size));
        let headers = headers.collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
        survey(&model, &headers, index.as_ref()).map_err(|e| e.to_string())?;
        let matrices = matrix_bytes(&model, &headers);
        let tokenizer = tokenizer(parts)?;
        let name =
            folder.filter(|folder| !folder.is_empty()).map_or_else(|| name_in(config, model.model_type), String::from);
        let bytes = weights.iter().map(|part| part.size).sum();
        let types = Header::bytes_by_type(&headers);
        let listed = index.map(|_| ShardIndex::FILE.to_string());
        let weights = listed.into_iter().chain(weights.iter().map(|part| part.name.to_string())).collect();
        Ok(Checkpoint {
            name,
            config: config.into(),
            model,
            weights,
            tokenizer,
            bytes,
            matrices,
            format: "safetensors",
            types,
        })
    }

    /// One file that holds everything.
    fn of_gguf(part: &Part<'_>) -> Result<Checkpoint, String> {
        let gguf = Gguf::read(part.name, part.head, part.size).map_err(|e| e.to_string())?;
        let (model, config) = gguf.model().map_err(|e| e.to_string())?;
        gguf.tokenizer_json().map_err(|e| e.to_string())?;
        let file = || vec![part.name.to_string()];
        let (format, types) = ("GGUF", gguf.bytes_by_type());
        let (name, bytes, matrices) = (stem(part.name).to_string(), part.size, gguf.matrix_bytes(&model));
        Ok(Checkpoint { name, config, model, weights: file(), tokenizer: file(), bytes, matrices, format, types })
    }

    /// Its name with its size, as a page writes it.
    pub fn title(&self) -> String {
        // One without a name is called after its family.
        let nameless = self.name == self.model.model_type;
        let name = if nameless { self.model.family().title } else { &self.name };
        format!("{} · {}", shorten(name), size(self.model.parameters()))
    }

    /// Every file that is used, in one order: the configuration, weights, tokenizer.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        files(&self.weights, &self.tokenizer)
    }

    /// Format and bytes by type: `GGUF: 66 MB Q4_1, 30 MB Q8_0, 140 kB F32`.
    pub fn form(&self) -> String {
        let types: Vec<String> = self.types.iter().map(|(name, n)| format!("{} {name}", weight(*n))).collect();
        format!("{}: {}", self.format, types.join(", "))
    }
}

/// The files of a base, each once: one that holds everything stands alone.
pub(super) fn files<'a>(weights: &'a [String], tokenizer: &'a [String]) -> impl Iterator<Item = &'a str> {
    let whole = weights.iter().any(|file| Gguf::claims(file));
    let (config, tokenizer) = ((!whole).then_some(CONFIG), if whole { &[][..] } else { tokenizer });
    config.into_iter().chain(weights.iter().chain(tokenizer).map(String::as_str))
}

/// What is said where no weights are that are read.
fn without_weights(parts: &[Part<'_>]) -> String {
    let ends = |ends: &[&str]| parts.iter().find(|part| ends.iter().any(|end| part.name.ends_with(end)));
    if let Some(shard) = ends(&[".safetensors"]) {
        let named = format!("{} is here, but neither {WEIGHTS} nor {}", shard.name, ShardIndex::FILE);
        return format!(
            "{named}, which says which tensor is in which file: choose all files of the checkpoint together"
        );
    }
    if let Some(file) = ends(&[".bin", ".bin.index.json", ".pt", ".pth", ".ckpt"]) {
        return pickle(file.name.trim_end_matches(".index.json"));
    }
    if let Some(file) = ends(&[".h5", ".msgpack", ".onnx"]) {
        return format!(
            "{} is of another framework: load the model in transformers and write it again with model.save_pretrained(folder), which gives {WEIGHTS}",
            file.name
        );
    }
    format!("{WEIGHTS} is missing: {TOGETHER}")
}

/// The files of the tokenizer: `tokenizer.json`, or else vocabulary and merges with what stands beside them; and what says
/// how a chat is put together.
fn tokenizer(parts: &[Part<'_>]) -> Result<Vec<String>, String> {
    let find = |name: &str| parts.iter().find(|part| part.name == name);
    let checked = |part: &Part<'_>| match foreign(part.name, part.head) {
        Some(told) => Err(told),
        None => Ok(part.name.to_string()),
    };
    let chat = find(ChatTemplate::FILE);
    if let Some(part) = find(TOKENIZER) {
        // Settings without a template say nothing that the tokenizer does not.
        let settings = find(ChatTemplate::SETTINGS).filter(|part| chat.is_some() || ChatTemplate::is_in(part.head));
        return [part].into_iter().chain(settings).chain(chat).map(checked).collect();
    }
    match VOCABULARY.map(find) {
        [Some(vocabulary), Some(merges)] => {
            let beside = BESIDE_VOCABULARY.into_iter().filter_map(find).chain(chat);
            [vocabulary, merges].into_iter().chain(beside).map(checked).collect()
        }
        [Some(_), None] => Err(format!("{} is missing: it belongs to {}", VOCABULARY[1], VOCABULARY[0])),
        [None, Some(_)] => Err(format!("{} is missing: it belongs to {}", VOCABULARY[0], VOCABULARY[1])),
        [None, None] => Err(format!(
            "{TOKENIZER} is missing, and so are {} and {}: AutoTokenizer.from_pretrained(folder).save_pretrained(folder) in transformers writes it",
            VOCABULARY[0], VOCABULARY[1]
        )),
    }
}

/// `11 k`, `0.3 M`, `125 M`, `1.3 B`.
fn size(parameters: u64) -> String {
    match parameters as f64 {
        n if n < 5e4 => format!("{:.0} k", n / 1e3),
        n if n < 9.95e6 => format!("{:.1} M", n / 1e6),
        n if n < 9.995e8 => format!("{:.0} M", n / 1e6),
        n => format!("{:.1} B", n / 1e9),
    }
}

/// `940 B`, `3 kB`, `98 MB`, `2.2 GB`.
fn weight(bytes: u64) -> String {
    match bytes as f64 {
        n if n < 1e3 => format!("{bytes} B"),
        n if n < 9.995e5 => format!("{:.0} kB", n / 1e3),
        n if n < 9.995e8 => format!("{:.0} MB", n / 1e6),
        n => format!("{:.1} GB", n / 1e9),
    }
}

/// What a checkpoint calls itself, for a name.
fn name_in(config: &str, model_type: &str) -> String {
    let value: Value = serde_json::from_str(config).unwrap_or_default();
    let named =
        value["_name_or_path"].as_str().and_then(|path| path.rsplit('/').next()).filter(|name| !name.is_empty());
    named.unwrap_or(model_type).to_string()
}

#[cfg(test)]
mod tests;
