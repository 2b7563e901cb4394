//! The pretrained bases that the page ships, and what a visitor should know about each; and bases that a
//! visitor brings.

use crate::base::{fingerprint, slug};
use crate::model::{ModelConfig, ModelConfigError};
use serde::{Deserialize, Serialize};
use std::sync::{PoisonError, RwLock};

/// A base under `models/<id>/`: `config.json`, `model.safetensors`, `tokenizer.json`.
#[derive(Debug)]
pub struct Base {
    /// Name in URL, flags and JSON.
    pub id: &'static str,
    /// As the page writes it, with its size.
    pub title: &'static str,
    /// What it was trained on, in one sentence.
    pub trained_on: &'static str,
    config: &'static str,
}

/// The shipped bases, the one a visitor meets first in front.
pub static BASES: [Base; 4] = [
    Base {
        id: "rules",
        title: "rules · 0.2 M",
        trained_on: "Pretrained on string rules (reverse, sort, next letter …) shown by examples, 18,000 steps.",
        config: include_str!("../../www/models/rules/config.json"),
    },
    Base {
        id: "prose-nano",
        title: "prose-nano · 0.3 M",
        trained_on: "Pretrained on nine public-domain books of English prose, 4.2 MB, 11,000 steps.",
        config: include_str!("../../www/models/prose-nano/config.json"),
    },
    Base {
        id: "prose-micro",
        title: "prose-micro · 0.9 M",
        trained_on: "Pretrained on nine public-domain books of English prose, 4.2 MB, 10,000 steps.",
        config: include_str!("../../www/models/prose-micro/config.json"),
    },
    Base {
        id: "prose-small",
        title: "prose-small · 3.4 M",
        trained_on: "Pretrained on nine public-domain books of English prose, 4.2 MB, 5,000 steps. Slow without a GPU.",
        config: include_str!("../../www/models/prose-small/config.json"),
    },
];

/// A base of a visitor's own: what a configuration has to know of it before its weights are read. Its files
/// are `models/<id>/…` like those of a shipped one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnBase {
    /// Begins with [`OwnBase::PREFIX`].
    pub id: String,
    /// As the page writes it, with its size.
    pub title: String,
    /// The text of its `config.json`.
    pub config: String,
}

impl OwnBase {
    /// What tells its id from that of a shipped base.
    pub const PREFIX: &str = "own-";

    /// A checkpoint in a folder of this name, by its `config.json` and the sizes of `model.safetensors` and
    /// `tokenizer.json`.
    pub fn new(folder: &str, config: &str, weights: usize, tokenizer: usize) -> Result<OwnBase, ModelConfigError> {
        let parameters = ModelConfig::from_json(config)?.parameters();
        let (name, identity) = (slug(folder), format!("{config}{weights}{tokenizer}"));
        let id = format!("{}{name}-{}", OwnBase::PREFIX, fingerprint(identity.as_bytes()));
        Ok(OwnBase { id, title: format!("{name} · {}", size(parameters)), config: config.into() })
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

/// Bases that visitors brought since the program started. They are few, small (weights lie elsewhere) and
/// never taken back: a run may name its base for as long as it likes.
static OWN: RwLock<Vec<&'static Base>> = RwLock::new(Vec::new());

impl Base {
    /// The base of a contract name, or one that a visitor brought.
    pub fn named(id: &str) -> Option<&'static Base> {
        BASES.iter().find(|b| b.id == id).or_else(|| Base::own().into_iter().find(|b| b.id == id))
    }

    /// The bases that visitors brought.
    pub fn own() -> Vec<&'static Base> {
        OWN.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a visitor's base known; one of the same id stays as it is. The configuration is checked.
    pub fn register(own: &OwnBase) -> Result<&'static Base, ModelConfigError> {
        if let Some(base) = Base::named(&own.id) {
            return Ok(base);
        }
        ModelConfig::from_json(&own.config)?;
        let leak = |text: &str| -> &'static str { Box::leak(text.to_string().into_boxed_str()) };
        let base: &'static Base = Box::leak(Box::new(Base {
            id: leak(&own.id),
            title: leak(&own.title),
            trained_on: "Your own checkpoint; it never leaves this machine.",
            config: leak(&own.config),
        }));
        OWN.write().unwrap_or_else(PoisonError::into_inner).push(base);
        Ok(base)
    }

    /// The base as another worker has to be told of it.
    pub fn to_own(&self) -> OwnBase {
        OwnBase { id: self.id.into(), title: self.title.into(), config: self.config.into() }
    }

    /// Whether a visitor brought it.
    pub fn is_own(&self) -> bool {
        self.id.starts_with(OwnBase::PREFIX)
    }

    /// Its shape, known without loading anything.
    pub fn config(&self) -> Result<ModelConfig, ModelConfigError> {
        ModelConfig::from_json(self.config)
    }
}
