//! Examples as the network reads them.

use crate::kernels::cross_entropy;
use crate::model::Tokens;
use crate::task::Example;
use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// One batch as the network reads it, or a part of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Batch {
    /// `[sequences, length]`.
    #[serde(with = "TokensAsJson")]
    pub tokens: Tokens,
    /// Places in the flattened tokens whose successors are predicted.
    pub rows: Vec<usize>,
    /// The right tokens at `rows`.
    pub targets: Vec<i32>,
    /// Tokens among which the right ones are chosen; empty where these are all.
    #[serde(default)]
    among: Vec<u32>,
    /// Tokens that the whole batch predicts, where this is a part of one.
    whole: Option<usize>,
}

/// The columns of some labels: `[rows, vocabulary]` to `[rows, labels]`.
pub fn of_labels(logits: Tensor<2>, labels: &[u32]) -> Tensor<2> {
    let ids: Vec<i32> = labels.iter().map(|label| *label as i32).collect();
    let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [labels.len()]), &logits.device());
    logits.select(1, ids)
}

/// The fields of [`Tokens`], for messages between workers.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Tokens")]
struct TokensAsJson {
    ids: Vec<i32>,
    sequences: usize,
    length: usize,
}

impl Batch {
    /// A whole batch that predicts `targets` behind the places `rows`.
    pub fn of(tokens: Tokens, rows: Vec<usize>, targets: Vec<i32>) -> Batch {
        Batch { tokens, rows, targets, among: Vec::new(), whole: None }
    }

    /// Pads examples at the right to the longest. The last token of each is only predicted, never read.
    pub fn new<'a>(examples: impl IntoIterator<Item = &'a Example> + Clone) -> Batch {
        let length = examples.clone().into_iter().map(|e| e.tokens.len() - 1).max().unwrap_or(0);
        let mut batch = Batch::of(Tokens { ids: Vec::new(), sequences: 0, length }, Vec::new(), Vec::new());
        for example in examples {
            let (start, n) = (batch.tokens.sequences * length, example.tokens.len() - 1);
            batch.tokens.ids.extend(example.tokens[..n].iter().map(|t| *t as i32));
            batch.tokens.ids.resize(start + length, 0);
            batch.tokens.sequences += 1;
            batch.rows.extend((n - example.answer..n).map(|i| start + i));
            batch.targets.extend(example.tokens[n + 1 - example.answer..].iter().map(|t| *t as i32));
        }
        batch
    }

    /// The same, where the right tokens are chosen among some labels. They hold all targets.
    pub fn among(self, labels: &[u32]) -> Batch {
        Batch { among: labels.to_vec(), ..self }
    }

    /// The loss of each predicted token from its `logits`, `[rows, vocabulary]`: `[rows]`, in nats. Where labels are
    /// chosen among, they alone share the probability (Schick and Schütze 2021).
    pub fn nats(&self, logits: Tensor<2>) -> Tensor<1> {
        if self.among.is_empty() {
            return cross_entropy(logits, &self.targets);
        }
        let place = |target: &i32| self.among.iter().position(|label| *label as i32 == *target).unwrap_or(0) as i32;
        let places: Vec<i32> = self.targets.iter().map(place).collect();
        cross_entropy(of_labels(logits, &self.among), &places)
    }

    /// The same as a part of a batch that predicts so many tokens in all.
    pub fn part_of(self, predicted: usize) -> Batch {
        Batch { whole: Some(predicted), ..self }
    }

    /// Tokens that are read, padding included.
    pub fn tokens_read(&self) -> usize {
        self.tokens.sequences * self.tokens.length
    }

    /// The batch's loss from that of each predicted token, `[rows]`, in nats: their mean, or a part's share
    /// of the whole batch's mean.
    pub fn mean(&self, nats: Tensor<1>) -> Tensor<1> {
        match self.whole {
            None => nats.mean(),
            Some(predicted) => nats.sum().div_scalar(predicted as f64),
        }
    }
}
