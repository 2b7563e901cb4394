//! What events tell of prompts, answers and scores.

use crate::base::measured;
use serde::{Deserialize, Serialize};

/// What was changed about a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpreadKind {
    /// Nothing: the configuration's own prompt.
    Own,
    /// All of it: there is none.
    Nothing,
    /// The order of its demonstrations.
    Order,
    /// Which examples it shows.
    Choice,
    /// The words around text and label.
    Wording,
    /// Its labels, drawn at random.
    RandomLabels,
}

/// A score on what the base could do before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptScore {
    /// Nats a predicted token.
    #[serde(deserialize_with = "measured")]
    pub loss: f32,
    /// Share right.
    pub accuracy: f64,
    /// Tokens or episodes scored.
    pub n: usize,
}

/// What of an evaluation is right, beside whole examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartScore {
    /// `tokens`, `fields`, or a kind of examples.
    pub name: String,
    /// Share right.
    pub accuracy: f64,
    /// Of so many.
    pub n: usize,
}

/// One example with what the base and the adapted model answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Place among the task's held-out examples; absent for what a visitor typed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub index: Option<usize>,
    /// The text before the answer (`gkam`, a sentence). Recorded runs leave it empty: the page knows it by
    /// its index.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub input: String,
    /// θ alone.
    pub base: Answer,
    /// θ with φ.
    pub adapted: Answer,
    /// The right answer, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub right: Option<String>,
    /// How much of a typed text is read; absent where all of it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cut: Option<CutText>,
}

/// A text that is longer than what is read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutText {
    /// Tokens that it has.
    pub tokens: usize,
    /// Of these the last that are read.
    pub read: usize,
}

/// An answer as text: four letters for `rules`, a label (`A`…`G`) for `authors`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// As it is shown.
    pub text: String,
    /// Probability of the answer among the task's labels (the product over its tokens).
    #[serde(deserialize_with = "measured")]
    pub probability: f32,
}
