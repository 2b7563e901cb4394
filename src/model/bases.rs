//! The pretrained bases that the page ships, and what a visitor should know about each.

use super::{ModelConfig, ModelConfigError};

/// A base under `models/<id>/`: `config.json`, `model.safetensors`, `tokenizer.json`.
#[derive(Debug)]
pub struct Base {
    /// Name in URL, flags and JSON.
    pub id: &'static str,
    pub title: &'static str,
    /// What it was trained on, in one sentence.
    pub trained_on: &'static str,
    config: &'static str,
}

/// The shipped bases, the one a visitor meets first in front.
pub static BASES: [Base; 3] = [
    Base {
        id: "rules",
        title: "rules · 0.2 M",
        trained_on: "Pretrained on string rules (reverse, sort, next letter …) shown by examples, 18,000 steps.",
        config: include_str!("../../www/models/rules/config.json"),
    },
    Base {
        id: "prose-nano",
        title: "prose-nano · 0.3 M",
        trained_on: "Pretrained on nine public-domain books of English prose, 4.2 MB, 9,000 steps.",
        config: include_str!("../../www/models/prose-nano/config.json"),
    },
    Base {
        id: "prose-micro",
        title: "prose-micro · 0.9 M",
        trained_on: "Pretrained on nine public-domain books of English prose, 4.2 MB, 9,000 steps.",
        config: include_str!("../../www/models/prose-micro/config.json"),
    },
];

impl Base {
    /// The base of a contract name.
    pub fn named(id: &str) -> Option<&'static Base> {
        BASES.iter().find(|b| b.id == id)
    }

    /// Its shape, known without loading anything.
    pub fn config(&self) -> Result<ModelConfig, ModelConfigError> {
        ModelConfig::from_json(self.config)
    }
}
