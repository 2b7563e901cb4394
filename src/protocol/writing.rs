//! What writing is asked for, and what it tells.

use crate::base::measured;
use serde::{Deserialize, Serialize};

/// How a text is gone on with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Writing {
    /// How it begins.
    pub text: String,
    /// What is put around it.
    #[serde(default)]
    pub around: Around,
    /// φ's share of θ ⊕ λφ.
    #[serde(default = "whole")]
    pub lambda: f64,
    /// 1 draws by the probabilities, less keeps to the likelier tokens; 0 takes the likeliest.
    #[serde(default)]
    pub temperature: f64,
    /// Of so many likeliest tokens one is drawn; 0 stands for all.
    #[serde(default)]
    pub top_k: usize,
    /// Tokens to write at most.
    pub tokens: usize,
    /// Of what is drawn.
    #[serde(default)]
    pub seed: u64,
}

fn whole() -> f64 {
    1.0
}

/// What is put around a text that is gone on with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Around {
    /// It is read as it stands.
    #[default]
    Nothing,
    /// The task's words, so that its answer comes next.
    Task,
    /// The model's own chat template, so that an assistant answers what a user says.
    Chat,
}

impl Around {
    /// All of them, and the names that commands and flags have for them.
    pub const ALL: [(&str, Around); 3] = [("nothing", Around::Nothing), ("task", Around::Task), ("chat", Around::Chat)];
}

/// Who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// θ alone.
    Base,
    /// θ ⊕ λφ.
    Adapted,
}

/// Why writing has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// By a token that ends a text.
    End,
    /// As many tokens as were asked for are written.
    Tokens,
    /// The context has no room for more.
    Context,
    /// By the visitor, or another text or a run in its place.
    Stopped,
}

/// A token that may come next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NextToken {
    /// Its text; bytes that are no character by themselves show as `\u{fffd}`.
    pub text: String,
    /// Among all tokens, as the model has it: neither temperature nor `top_k` change it.
    #[serde(deserialize_with = "measured")]
    pub probability: f32,
}
