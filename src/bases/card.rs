//! The card of a base: what it is, how it was made, and how good it is.

use serde::{Deserialize, Serialize};

/// A base's card: `card.json` beside the checkpoint. `peft-lab pretrain` writes those of the bases it makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Name of the base.
    pub id: String,
    /// Numbers of θ.
    pub parameters: u64,
    /// What it was trained on.
    pub data: String,
    /// Of texts and weights.
    pub licence: String,
    /// Where a base of somebody else's comes from; empty for ours.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// How a base of ours was made.
    #[serde(flatten)]
    pub made: Option<Made>,
}

/// How a base was made here, and how good it got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Training steps.
    pub steps: usize,
    /// Tokens read in training.
    pub tokens: usize,
    /// Seconds that training took.
    pub seconds: f64,
    /// Of the shipped checkpoint, at half precision.
    pub figures: Figures,
    /// In the order of the steps.
    pub curve: Vec<Judged>,
}

/// What a base was judged by while it was made, after so many steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Steps done.
    pub step: usize,
    /// Mean loss of the steps since the last one, nats a predicted token.
    pub loss: f32,
    /// What it scored then.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Figures on what the base never trains on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figures {
    /// Of a base that reads books.
    Prose {
        /// Cross-entropy of the held-out blocks.
        bits_per_byte: f64,
    },
    /// Of a base that reads episodes of a string rule: exact match after 0, 1, … demonstrations.
    Rules {
        /// On the single rules it was trained on.
        known: Vec<f64>,
        /// On compositions of two rules it was trained on.
        seen: Vec<f64>,
        /// On compositions it never met.
        unseen: Vec<f64>,
    },
}

impl Figures {
    /// Name and value, as a table has them.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        match self {
            Figures::Prose { bits_per_byte } => {
                vec![("bits per byte of held-out prose", format!("{bits_per_byte:.3}"))]
            }
            Figures::Rules { known, seen, unseen } => vec![
                ("known rules", series(known)),
                ("compositions seen", series(seen)),
                ("compositions never seen", series(unseen)),
            ],
        }
    }

    /// What the rows are.
    pub fn heading(&self) -> &'static str {
        match self {
            Figures::Prose { .. } => "held-out text",
            Figures::Rules { .. } => "exact match with 0 … 5 demonstrations",
        }
    }
}

/// `.11 .86 .97`
fn series(values: &[f64]) -> String {
    values.iter().map(|x| format!("{x:.2}")).collect::<Vec<_>>().join(" ")
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    /// The card beside a checkpoint is of that checkpoint.
    #[test]
    fn shipped_cards_tell_of_their_bases() {
        for base in &crate::bases::BASES {
            let path = format!("{}/www/models/{}/card.json", env!("CARGO_MANIFEST_DIR"), base.id);
            let text = std::fs::read_to_string(path).unwrap();
            let card: Card = serde_json::from_str(&text).unwrap();
            assert_eq!((card.id.as_str(), card.parameters), (base.id, base.config().unwrap().parameters()));
            match card.made {
                Some(made) => assert_eq!(made.curve.last().unwrap().step, made.steps),
                None => assert!(base.fetched().is_some() && card.source.contains("PyPI")),
            }
        }
    }
}
