//! Held-out loss, accuracy and answers, without gradients.

use super::data::{Batch, TaskData};
use super::room::at_once;
use crate::base::{Failure, read};
use crate::kernels::cross_entropy;
use crate::model::{Model, Tokens};
use crate::peft::Phi;
use crate::task::Example;
use burn::tensor::{Int, Tensor, TensorData, activation};

/// Examples per forward pass where the device can use so many: of like length, so that little is padding.
const CHUNK: usize = 75;

/// Windows of a text at a time: every one of their tokens is predicted.
const WINDOWS: usize = 16;
/// Windows of a live evaluation.
const LIVE_WINDOWS: usize = 24;
/// What a sample is drawn at: 1 follows the probabilities, less keeps to the likelier tokens.
const TEMPERATURE: f32 = 0.8;

/// What examples in a row gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy over the predicted tokens, nats.
    pub loss: f32,
    /// Share of examples with every token right; of a text, share of next tokens.
    pub accuracy: f64,
    /// Examples; of a text, tokens.
    pub n: usize,
}

/// Scores the first `n` held-out examples under θ and φ, all of them where there are fewer.
pub async fn evaluate(theta: &Model, phi: &Phi, data: &TaskData, n: usize) -> Result<Evaluation, Failure> {
    if data.is_written() {
        let n = if n < data.held_out.len() { LIVE_WINDOWS } else { n };
        return next_tokens(theta, phi, data.held_out.iter().take(n)).await;
    }
    score(theta, phi, data, &data.labels, n).await
}

/// Scores the first `n` held-out examples where the answer is the likeliest of all tokens, not of the labels
/// alone: it counts whether the base knows the form of an answer, too.
pub async fn evaluate_free(theta: &Model, phi: &Phi, data: &TaskData, n: usize) -> Result<Evaluation, Failure> {
    let all: Vec<u32> = (0..theta.config.vocab_size as u32).collect();
    score(theta, phi, data, &all, n).await
}

async fn score(theta: &Model, phi: &Phi, data: &TaskData, labels: &[u32], n: usize) -> Result<Evaluation, Failure> {
    evaluate_episodes(theta, phi, data.held_out.iter().take(n), labels).await
}

/// Scores examples, each right where every token of its answer is the likeliest of `labels`.
pub async fn evaluate_episodes<'a>(
    theta: &Model,
    phi: &Phi,
    examples: impl IntoIterator<Item = &'a Example>,
    labels: &[u32],
) -> Result<Evaluation, Failure> {
    let mut examples: Vec<&Example> = examples.into_iter().collect();
    let n = examples.len();
    examples.sort_by_key(|e| e.tokens.len());
    let chunk = chunk(theta, phi, &examples, CHUNK)?;
    let (mut loss, mut tokens, mut right) = (0.0_f64, 0, 0);
    for chunk in examples.chunks(chunk) {
        let batch = Batch::new(chunk.iter().copied());
        let logits = theta.logits(phi, &batch.tokens, &batch.rows);
        let sum = cross_entropy(logits.clone(), &batch.targets).sum();
        let scores = of_labels(logits, labels);
        let shape = scores.dims()[0] * scores.dims()[1];
        // One read-back: the loss behind the scores.
        let values = read(Tensor::cat(vec![scores.reshape([shape]), sum], 0)).await?;
        loss += f64::from(values[shape]);
        tokens += batch.targets.len();
        let mut row = 0;
        for example in chunk {
            let answers = &batch.targets[row..row + example.answer];
            right += usize::from(answers.iter().enumerate().all(|(i, target)| {
                let at = (row + i) * labels.len();
                labels[arg_max(&values[at..at + labels.len()])] as i32 == *target
            }));
            row += example.answer;
        }
    }
    Ok(Evaluation { loss: (loss / tokens as f64) as f32, accuracy: right as f64 / n as f64, n })
}

/// Of `asked` examples those that are read in one pass.
fn chunk(theta: &Model, phi: &Phi, examples: &[&Example], asked: usize) -> Result<usize, Failure> {
    let longest = examples.iter().map(|e| e.tokens.len() - 1).max().unwrap_or(0);
    let answer = examples.iter().map(|e| e.answer).max().unwrap_or(0);
    at_once(theta, phi, longest, answer, asked)
}

/// Loss and share of right tokens over windows in which every token is predicted.
pub async fn next_tokens<'a>(
    theta: &Model,
    phi: &Phi,
    windows: impl Iterator<Item = &'a Example>,
) -> Result<Evaluation, Failure> {
    let windows: Vec<&Example> = windows.collect();
    let chunk = chunk(theta, phi, &windows, WINDOWS)?;
    let (mut loss, mut right, mut n) = (0.0_f64, 0.0_f64, 0);
    for chunk in windows.chunks(chunk) {
        let batch = Batch::new(chunk.iter().copied());
        let logits = theta.logits(phi, &batch.tokens, &batch.rows);
        let rows = batch.targets.len();
        let targets = Tensor::<1, Int>::from_data(TensorData::new(batch.targets.clone(), [rows]), &logits.device());
        let hits = logits.clone().argmax(1).reshape([rows]).equal(targets).float().sum();
        let sum = cross_entropy(logits, &batch.targets).sum();
        // One read-back: two numbers, not the logits.
        let values = read(Tensor::cat(vec![sum, hits], 0)).await?;
        loss += f64::from(values[0]);
        right += f64::from(values[1]);
        n += rows;
    }
    let per = n.max(1) as f64;
    Ok(Evaluation { loss: (loss / per) as f32, accuracy: right / per, n })
}

/// Goes on with prompts, token by token, drawn by each one's own stream: the same φ writes the same. For
/// each, the tokens and the mean probability of one.
pub async fn samples(
    theta: &Model,
    phi: &Phi,
    prompts: &[Vec<u32>],
    length: usize,
) -> Result<Vec<(Vec<usize>, f32)>, Failure> {
    let mut written = Vec::new();
    for prompts in prompts.chunks(prompts_at_once(theta, phi, prompts, length)?) {
        let first = written.len();
        written.extend(samples_of(theta, phi, prompts, first, length).await?);
    }
    Ok(written)
}

/// The prompts that are read in one pass, `length` tokens behind the longest included.
fn prompts_at_once(theta: &Model, phi: &Phi, prompts: &[Vec<u32>], length: usize) -> Result<usize, Failure> {
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
    at_once(theta, phi, longest + length, 1, prompts.len().max(1))
}

/// Samples of prompts of which the first is the `first` of all.
async fn samples_of(
    theta: &Model,
    phi: &Phi,
    prompts: &[Vec<u32>],
    first: usize,
    length: usize,
) -> Result<Vec<(Vec<usize>, f32)>, Failure> {
    use rand::RngExt;
    let mut texts = prompts.to_vec();
    let numbered = first..first + prompts.len();
    let mut streams: Vec<_> = numbered.map(|i| crate::base::stream(i as u64, "samples")).collect();
    let mut written = vec![(Vec::new(), 0.0_f32); prompts.len()];
    let vocabulary = theta.config.vocab_size;
    for _ in 0..length {
        let (tokens, rows) = padded(&texts);
        let logits = theta.logits(phi, &tokens, &rows).div_scalar(TEMPERATURE);
        let values = read(activation::softmax(logits, 1).reshape([texts.len() * vocabulary])).await?;
        for (i, row) in values.chunks(vocabulary).enumerate() {
            let mut left = streams[i].random::<f32>();
            // Rounding may leave a little at the end: then it is the likeliest token.
            let drawn = row.iter().position(|p| {
                left -= p;
                left < 0.0
            });
            let token = drawn.unwrap_or_else(|| arg_max(row));
            texts[i].push(token as u32);
            written[i].0.push(token);
            written[i].1 += row[token] / length as f32;
        }
    }
    Ok(written)
}

/// Texts of different lengths as one batch, and the place of each one's last token.
fn padded(texts: &[Vec<u32>]) -> (Tokens, Vec<usize>) {
    let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut tokens = Tokens { ids: Vec::new(), sequences: texts.len(), length: longest };
    let mut rows = Vec::new();
    for (i, text) in texts.iter().enumerate() {
        rows.push(i * longest + text.len() - 1);
        tokens.ids.extend(text.iter().map(|t| *t as i32));
        tokens.ids.resize((i + 1) * longest, 0);
    }
    (tokens, rows)
}

/// Greedy answers to prompts: for each, the labels' places and their probability.
pub async fn answers(
    theta: &Model,
    phi: &Phi,
    labels: &[u32],
    prompts: &[Vec<u32>],
    length: usize,
) -> Result<Vec<(Vec<usize>, f32)>, Failure> {
    let mut found = Vec::new();
    for prompts in prompts.chunks(prompts_at_once(theta, phi, prompts, length)?) {
        found.extend(answers_of(theta, phi, labels, prompts, length).await?);
    }
    Ok(found)
}

async fn answers_of(
    theta: &Model,
    phi: &Phi,
    labels: &[u32],
    prompts: &[Vec<u32>],
    length: usize,
) -> Result<Vec<(Vec<usize>, f32)>, Failure> {
    let mut texts: Vec<Vec<u32>> = prompts.to_vec();
    let mut answers = vec![(Vec::new(), 1.0_f32); prompts.len()];
    for _ in 0..length {
        let (tokens, rows) = padded(&texts);
        let scores = activation::softmax(of_labels(theta.logits(phi, &tokens, &rows), labels), 1);
        let values = read(scores.reshape([texts.len() * labels.len()])).await?;
        for (i, (text, (answer, probability))) in texts.iter_mut().zip(&mut answers).enumerate() {
            let row = &values[i * labels.len()..(i + 1) * labels.len()];
            let best = arg_max(row);
            text.push(labels[best]);
            answer.push(best);
            *probability *= row[best];
        }
    }
    Ok(answers)
}

/// The labels' columns, `[rows, labels]`.
fn of_labels(logits: Tensor<2>, labels: &[u32]) -> Tensor<2> {
    let ids: Vec<i32> = labels.iter().map(|l| *l as i32).collect();
    let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [labels.len()]), &logits.device());
    logits.select(1, ids)
}

/// The place of the largest value, the first of equals.
fn arg_max(values: &[f32]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::base::stream;
    use crate::config::RunConfig;
    use crate::kernels::MADE_UP;
    use burn::tensor::Device;

    /// Evaluations and answers of a random base.
    async fn all() -> Result<(Vec<Evaluation>, Vec<(Vec<usize>, f32)>), Failure> {
        let model = RunConfig::from_hash("#base=rules&task=rules").0.shape().model;
        let (theta, phi) = (Model::random(model, &mut stream(1, "θ"), &Device::flex()), Phi::none());
        let example = |i: u32| Example { tokens: (i..i + 6).map(|token| token % 20).collect(), answer: 5 };
        let examples: Vec<Example> = (0..10).map(example).collect();
        let labels: Vec<u32> = (0..12).collect();
        let evaluations = vec![
            evaluate_episodes(&theta, &phi, &examples, &labels).await?,
            next_tokens(&theta, &phi, examples.iter()).await?,
        ];
        let prompts: Vec<Vec<u32>> = (0..5).map(|i| (i..i + 3).collect()).collect();
        let mut written = answers(&theta, &phi, &labels, &prompts, 2).await?;
        written.extend(samples(&theta, &phi, &prompts, 2).await?);
        Ok((evaluations, written))
    }

    #[test]
    fn what_a_device_cannot_use_at_once_is_read_in_turns() {
        let at = |most: Option<u64>| {
            MADE_UP.set(most);
            pollster::block_on(all())
        };
        let (whole, written) = at(None).unwrap();
        // The MLP's activations of three texts of five tokens.
        let (turns, again) = at(Some(3 * 5 * 4 * 256 + 4)).unwrap();
        for (a, b) in whole.iter().zip(&turns) {
            assert!((a.loss - b.loss).abs() < 1e-6, "{a:?} {b:?}");
            assert_eq!((a.accuracy, a.n), (b.accuracy, b.n));
        }
        for ((tokens, p), (others, q)) in written.iter().zip(&again) {
            assert!(tokens == others && (p - q).abs() < 1e-6);
        }
        assert!(written.len() == 10 && again.len() == 10);
        let refused = at(Some(5 * 4 * 256)).unwrap_err().message;
        MADE_UP.set(None);
        assert!(refused.starts_with("A text of 5 positions has activations of an MLP of 5,120 bytes"), "{refused}");
    }
}
