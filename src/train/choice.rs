//! One of some labels behind a prompt, where a label has several tokens: each is scored as a sequence, by the sum of its
//! tokens' log-probabilities.

use crate::base::{Failure, read};
use crate::kernels::cross_entropy;
use crate::model::{Model, Tokens};
use crate::peft::Phi;
use serde::{Deserialize, Serialize};

/// Prompts, and the labels that may stand behind each.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Choice {
    /// Tokens of each prompt.
    pub prompts: Vec<Vec<u32>>,
    /// Tokens of each label.
    pub labels: Vec<Vec<u32>>,
    /// Texts that are read at once.
    pub at_once: usize,
}

/// What is read behind a prompt, and the labels that it tells of: the last token of a label is only predicted, so those of
/// one token need none, and those that begin alike share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Tokens behind the prompt.
    pub tokens: Vec<u32>,
    /// Places of the labels.
    pub labels: Vec<usize>,
}

/// As few readings as tell of every label.
pub fn readings(labels: &[Vec<u32>]) -> Vec<Reading> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(labels[*place].len()));
    let mut readings: Vec<Reading> = Vec::new();
    for place in order {
        let read = labels[place].split_last().map_or(&[][..], |(_, read)| read);
        match readings.iter_mut().find(|reading| reading.tokens.starts_with(read)) {
            Some(reading) => reading.labels.push(place),
            None => readings.push(Reading { tokens: read.to_vec(), labels: vec![place] }),
        }
    }
    readings
}

impl Reading {
    /// Tokens that it predicts.
    pub fn predicted(&self, labels: &[Vec<u32>]) -> usize {
        self.labels.iter().map(|place| labels[*place].len()).sum()
    }
}

impl Choice {
    /// Tokens that are read, but for padding.
    pub fn tokens_read(&self) -> usize {
        let prompts: usize = self.prompts.iter().map(Vec::len).sum();
        let read = |reading: &Reading| prompts + self.prompts.len() * reading.tokens.len();
        readings(&self.labels).iter().map(read).sum()
    }

    /// Of each prompt the nats of every label.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn nats(&self, theta: &Model, phi: &Phi) -> Result<Vec<Vec<f32>>, Failure> {
        let mut nats = vec![vec![0.0_f32; self.labels.len()]; self.prompts.len()];
        let readings = readings(&self.labels);
        let texts = (0..self.prompts.len()).flat_map(|prompt| readings.iter().map(move |reading| (prompt, reading)));
        let texts: Vec<(usize, &Reading)> = texts.collect();
        for texts in texts.chunks(self.at_once.max(1)) {
            let length = texts.iter().map(|(prompt, reading)| self.prompts[*prompt].len() + reading.tokens.len()).max();
            let length = length.unwrap_or(0);
            let mut tokens = Tokens { ids: Vec::new(), sequences: texts.len(), length };
            let (mut rows, mut targets, mut of) = (Vec::new(), Vec::new(), Vec::new());
            for (i, (prompt, reading)) in texts.iter().enumerate() {
                let text = &self.prompts[*prompt];
                tokens.ids.extend(text.iter().chain(&reading.tokens).map(|token| *token as i32));
                tokens.ids.resize((i + 1) * length, 0);
                for place in &reading.labels {
                    for (behind, token) in self.labels[*place].iter().enumerate() {
                        rows.push(i * length + text.len() - 1 + behind);
                        targets.push(*token as i32);
                        of.push((*prompt, *place));
                    }
                }
            }
            let values = read(cross_entropy(theta.logits(phi, &tokens, &rows), &targets)).await?;
            for ((prompt, place), value) in of.into_iter().zip(values) {
                nats[prompt][place] += value;
            }
        }
        Ok(nats)
    }
}

/// The place of the likeliest label, and its probability among all, of their nats.
pub fn likeliest(nats: &[f32]) -> (usize, f32) {
    let best = (1..nats.len()).fold(0, |best, i| if nats[i] < nats[best] { i } else { best });
    let sum: f32 = nats.iter().map(|other| (nats[best] - other).exp()).sum();
    (best, sum.recip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_begin_alike_are_told_by_one_reading() {
        let labels = [vec![5], vec![7, 8], vec![7, 9], vec![7, 8, 1], vec![6]];
        let read = readings(&labels);
        assert_eq!(read, [Reading { tokens: vec![7, 8], labels: vec![3, 1, 2, 0, 4] }]);
        assert_eq!(read[0].predicted(&labels), 9);
        let apart = readings(&[vec![1, 2], vec![3, 4]]);
        assert_eq!(apart.iter().map(|reading| reading.tokens.clone()).collect::<Vec<_>>(), [vec![1], vec![3]]);
        assert_eq!(readings(&[vec![1], vec![2]]), [Reading { tokens: Vec::new(), labels: vec![0, 1] }]);
    }

    #[test]
    fn the_likeliest_has_the_fewest_nats() {
        let (best, probability) = likeliest(&[3.0, 1.0, 2.0]);
        let expected = 1.0 / (1.0 + (-2.0_f32).exp() + (-1.0_f32).exp());
        assert!(best == 1 && (probability - expected).abs() < 1e-6);
        assert_eq!(likeliest(&[1.0, 1.0]), (0, 0.5));
    }
}
