//! One pass forward of an evaluation: texts that are read together, on whatever worker, and what they gave.

use super::choice::{Choice, likeliest};
use super::data::{Batch, Marked, of_labels};
use super::writing::{Written, answers, arg_max, samples, writes};
use crate::base::{Failure, read};
use crate::kernels::cross_entropy;
use crate::model::Model;
use crate::peft::Phi;
use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// Texts that are read together. Where what is asked for has several tokens, each is read behind the one before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Pass {
    /// Examples, each right where every token of its answer is the likeliest of `labels`.
    Score {
        /// The examples.
        batch: Batch,
        /// Tokens of each one's answer.
        answers: Vec<usize>,
        /// Tokens that an answer may have.
        labels: Vec<u32>,
    },
    /// Examples whose answers are written freely: what is likeliest of all tokens in each place of the right answer.
    Mark {
        /// The examples.
        batch: Batch,
        /// Tokens of each one's answer.
        answers: Vec<usize>,
        /// The place of each among those held out.
        places: Vec<usize>,
    },
    /// Windows of which every token is predicted.
    NextTokens(Batch),
    /// Greedy answers of `length` labels to prompts.
    Answers {
        /// Tokens of each.
        prompts: Vec<Vec<u32>>,
        /// Tokens that an answer may have.
        labels: Vec<u32>,
        /// Tokens of an answer.
        length: usize,
    },
    /// Prompts, each right where its own label, by its place, is the likeliest of all, as sequences of tokens.
    ScoreLabels {
        /// The prompts, and the labels of all.
        choice: Choice,
        /// The right label of each.
        right: Vec<usize>,
    },
    /// The likeliest label behind each prompt, as a sequence of tokens.
    Labels(Choice),
    /// The likeliest tokens behind each prompt, up to one of `ends`.
    Writes {
        /// Tokens of each.
        prompts: Vec<Vec<u32>>,
        /// Tokens at most.
        most: usize,
        /// What ends a text.
        ends: Vec<u32>,
    },
    /// `length` tokens behind each prompt, drawn by its own stream: the same φ writes the same.
    Samples {
        /// Tokens of each.
        prompts: Vec<Vec<u32>>,
        /// The number of the first prompt among all.
        first: usize,
        /// Tokens of a sample.
        length: usize,
    },
}

/// What a pass gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Passed {
    /// Of examples or windows.
    Scored(Scored),
    /// Of examples whose answers are written freely: their loss together, nats, and what was predicted of each.
    Marked(f32, Vec<Marked>),
    /// Of each prompt.
    Written(Vec<Written>),
}

/// Sums over the examples or windows of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Cross-entropy of all predicted tokens together, nats.
    pub loss: f32,
    /// Tokens predicted.
    pub tokens: usize,
    /// Examples that are right, or tokens of windows.
    pub right: usize,
    /// Of so many.
    pub n: usize,
}

impl Pass {
    /// The same, where answers are chosen among some labels: their loss, too.
    pub fn among(self, labels: &[u32]) -> Pass {
        match self {
            Pass::Score { batch, answers, labels: of } => {
                Pass::Score { batch: batch.among(labels), answers, labels: of }
            }
            other => other,
        }
    }

    /// Texts in it.
    pub fn texts(&self) -> usize {
        match self {
            Pass::Score { batch, .. } | Pass::Mark { batch, .. } | Pass::NextTokens(batch) => batch.tokens.sequences,
            Pass::Answers { prompts, .. } | Pass::Samples { prompts, .. } | Pass::Writes { prompts, .. } => {
                prompts.len()
            }
            Pass::ScoreLabels { choice, .. } | Pass::Labels(choice) => choice.prompts.len(),
        }
    }

    /// Tokens that are read, padding included: of what is written all but the last, at most.
    pub fn tokens_read(&self) -> usize {
        match self {
            Pass::Score { batch, .. } | Pass::Mark { batch, .. } | Pass::NextTokens(batch) => batch.tokens_read(),
            Pass::ScoreLabels { choice, .. } | Pass::Labels(choice) => choice.tokens_read(),
            Pass::Answers { prompts, length, .. }
            | Pass::Samples { prompts, length, .. }
            | Pass::Writes { prompts, most: length, .. } => {
                let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
                prompts.len() * (longest + length.saturating_sub(1))
            }
        }
    }

    /// Reads the texts with θ and φ.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn run(&self, theta: &Model, phi: &Phi) -> Result<Passed, Failure> {
        Ok(match self {
            Pass::Score { batch, answers, labels } => Passed::Scored(score(theta, phi, batch, answers, labels).await?),
            Pass::Mark { batch, answers, places } => {
                let (loss, marked) = mark(theta, phi, batch, answers, places).await?;
                Passed::Marked(loss, marked)
            }
            Pass::NextTokens(batch) => Passed::Scored(next_tokens(theta, phi, batch).await?),
            Pass::ScoreLabels { choice, right } => Passed::Scored(score_labels(theta, phi, choice, right).await?),
            Pass::Labels(choice) => {
                let nats = choice.nats(theta, phi).await?;
                let answer = |nats: &Vec<f32>| {
                    let (place, probability) = likeliest(nats);
                    (vec![place], probability)
                };
                Passed::Written(nats.iter().map(answer).collect())
            }
            Pass::Answers { prompts, labels, length } => {
                Passed::Written(answers(theta, phi, labels, prompts, *length).await?)
            }
            Pass::Samples { prompts, first, length } => {
                Passed::Written(samples(theta, phi, prompts, *first, *length).await?)
            }
            Pass::Writes { prompts, most, ends } => Passed::Written(writes(theta, phi, prompts, *most, ends).await?),
        })
    }
}

async fn score_labels(theta: &Model, phi: &Phi, choice: &Choice, right: &[usize]) -> Result<Scored, Failure> {
    let mut scored = Scored { loss: 0.0, tokens: 0, right: 0, n: right.len() };
    for (nats, place) in choice.nats(theta, phi).await?.iter().zip(right) {
        scored.loss += nats[*place];
        scored.tokens += choice.labels[*place].len();
        scored.right += usize::from(likeliest(nats).0 == *place);
    }
    Ok(scored)
}

async fn score(theta: &Model, phi: &Phi, batch: &Batch, answers: &[usize], labels: &[u32]) -> Result<Scored, Failure> {
    let logits = theta.logits(phi, &batch.tokens, &batch.rows);
    let sum = batch.nats(logits.clone()).sum();
    let scores = of_labels(logits, labels);
    let shape = scores.dims()[0] * scores.dims()[1];
    // One read-back: the loss behind the scores.
    let values = read(Tensor::cat(vec![scores.reshape([shape]), sum], 0)).await?;
    let (mut right, mut row) = (0, 0);
    for answer in answers {
        let targets = &batch.targets[row..row + answer];
        right += usize::from(targets.iter().enumerate().all(|(i, target)| {
            let at = (row + i) * labels.len();
            labels[arg_max(&values[at..at + labels.len()])] as i32 == *target
        }));
        row += answer;
    }
    Ok(Scored { loss: values[shape], tokens: batch.targets.len(), right, n: answers.len() })
}

async fn mark(
    theta: &Model,
    phi: &Phi,
    batch: &Batch,
    answers: &[usize],
    places: &[usize],
) -> Result<(f32, Vec<Marked>), Failure> {
    let logits = theta.logits(phi, &batch.tokens, &batch.rows);
    let rows = batch.targets.len();
    // Tokens are small enough for a float to hold exactly.
    let likeliest = logits.clone().argmax(1).reshape([rows]).float();
    let sum = batch.nats(logits).sum();
    // One read-back: the loss behind the tokens.
    let values = read(Tensor::cat(vec![likeliest, sum], 0)).await?;
    let mut row = 0;
    let of = |(place, answer): (&usize, &usize)| {
        let these = row..row + answer;
        row += answer;
        let predicted: Vec<u32> = values[these.clone()].iter().map(|token| *token as u32).collect();
        let is_right = predicted.iter().zip(&batch.targets[these]).all(|(a, b)| *a as i32 == *b);
        Marked { place: *place, predicted, is_right }
    };
    Ok((values[rows], places.iter().zip(answers).map(of).collect()))
}

async fn next_tokens(theta: &Model, phi: &Phi, batch: &Batch) -> Result<Scored, Failure> {
    let logits = theta.logits(phi, &batch.tokens, &batch.rows);
    let rows = batch.targets.len();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(batch.targets.clone(), [rows]), &logits.device());
    let hits = logits.clone().argmax(1).reshape([rows]).equal(targets).float().sum();
    let sum = cross_entropy(logits, &batch.targets).sum();
    // One read-back: two numbers, not the logits.
    let values = read(Tensor::cat(vec![sum, hits], 0)).await?;
    Ok(Scored { loss: values[0], tokens: rows, right: values[1] as usize, n: rows })
}
