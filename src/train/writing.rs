//! Texts that are gone on with, a token at a time. Each token is read once: keys and values of those before it are
//! kept.

use super::data::of_labels;
use crate::base::{Failure, read, stream};
use crate::model::{Cache, Model, Tokens};
use crate::peft::Phi;
use burn::tensor::{Tensor, activation};

/// What a sample is drawn at: 1 follows the probabilities, less keeps to the likelier tokens.
const TEMPERATURE: f32 = 0.8;

/// An answer or a sample: places among the labels, or tokens; and its probability, of a sample and of what is written
/// till its end the mean of a token's.
pub type Written = (Vec<usize>, f32);

/// Greedy answers of `length` labels.
pub async fn answers(
    theta: &Model,
    phi: &Phi,
    labels: &[u32],
    prompts: &[Vec<u32>],
    length: usize,
) -> Result<Vec<Written>, Failure> {
    let order = by_length(prompts);
    let mut next = chosen(prompts, &order);
    let mut answers = vec![(Vec::new(), 1.0_f32); prompts.len()];
    let mut cache = Cache::default();
    for _ in 0..length {
        let logits = match length {
            // Nothing comes behind it.
            1 => {
                let (tokens, rows) = Tokens::padded(&next);
                theta.logits(phi, &tokens, &rows)
            }
            _ => theta.go_on(phi, &mut cache, &next),
        };
        let scores = activation::softmax(of_labels(logits, labels), 1);
        let values = read(scores.reshape([order.len() * labels.len()])).await?;
        for ((text, row), next) in order.iter().zip(values.chunks(labels.len())).zip(&mut next) {
            let (best, (answer, probability)) = (arg_max(row), &mut answers[*text]);
            *next = vec![labels[best]];
            answer.push(best);
            *probability *= row[best];
        }
    }
    Ok(answers)
}

/// `length` tokens of each text, drawn by the stream of its number; the first one has the number `first`.
pub async fn samples(
    theta: &Model,
    phi: &Phi,
    prompts: &[Vec<u32>],
    first: usize,
    length: usize,
) -> Result<Vec<Written>, Failure> {
    use rand::RngExt;
    let order = by_length(prompts);
    let mut next = chosen(prompts, &order);
    let mut streams: Vec<_> = order.iter().map(|text| stream((first + text) as u64, "samples")).collect();
    let mut written = vec![(Vec::new(), 0.0_f32); prompts.len()];
    let vocabulary = theta.config.vocab_size;
    let mut cache = Cache::default();
    for _ in 0..length {
        let logits = theta.go_on(phi, &mut cache, &next).div_scalar(TEMPERATURE);
        let values = read(activation::softmax(logits, 1).reshape([order.len() * vocabulary])).await?;
        for (i, row) in values.chunks(vocabulary).enumerate() {
            let token = drawn(row, streams[i].random::<f32>());
            let (tokens, probability) = &mut written[order[i]];
            next[i] = vec![token as u32];
            tokens.push(token);
            *probability += row[token] / length as f32;
        }
    }
    Ok(written)
}

/// The likeliest tokens behind each text up to one of `ends`, which is left out, `most` of them, or as many as the
/// context has room for. Where nothing is written, the probability is that of its end.
pub async fn writes(
    theta: &Model,
    phi: &Phi,
    prompts: &[Vec<u32>],
    most: usize,
    ends: &[u32],
) -> Result<Vec<Written>, Failure> {
    let mut under_way = by_length(prompts);
    let mut next = chosen(prompts, &under_way);
    let mut written = vec![(Vec::new(), 0.0_f32); prompts.len()];
    let mut cache = Cache::default();
    while most > 0 && !under_way.is_empty() {
        let logits = theta.go_on(phi, &mut cache, &next);
        let n = under_way.len();
        let likeliest = logits.clone().argmax(1).reshape([n]).float();
        let probability = activation::softmax(logits, 1).max_dim(1).reshape([n]);
        // One read-back: two numbers of each text, not its logits.
        let values = read(Tensor::cat(vec![likeliest, probability], 0)).await?;
        let room = cache.positions().into_iter().map(|position| position < theta.config.max_position_embeddings);
        let mut goes_on = Vec::with_capacity(n);
        for ((i, text), room) in under_way.iter().enumerate().zip(room) {
            let (token, probability) = (values[i] as usize, values[n + i]);
            let (tokens, sum) = &mut written[*text];
            let ended = ends.contains(&(token as u32));
            if !ended {
                tokens.push(token);
            }
            if !ended || tokens.is_empty() {
                *sum += probability;
            }
            next[i] = vec![token as u32];
            goes_on.push(!ended && room && tokens.len() < most);
        }
        cache.keep(&goes_on);
        let mut kept = goes_on.iter();
        under_way.retain(|_| kept.next().is_some_and(|kept| *kept));
        let mut kept = goes_on.iter();
        next.retain(|_| kept.next().is_some_and(|kept| *kept));
    }
    written.iter_mut().for_each(|(tokens, sum)| *sum /= tokens.len().max(1) as f32);
    Ok(written)
}

/// Texts in the order of their lengths: those of one length are read on together.
fn by_length(texts: &[Vec<u32>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|text| texts[*text].len());
    order
}

fn chosen(texts: &[Vec<u32>], order: &[usize]) -> Vec<Vec<u32>> {
    order.iter().map(|text| texts[*text].clone()).collect()
}

/// The place at which probabilities have summed up to `left`.
fn drawn(probabilities: &[f32], mut left: f32) -> usize {
    // Rounding may leave a little at the end: then it is the likeliest token.
    let drawn = probabilities.iter().position(|p| {
        left -= p;
        left < 0.0
    });
    drawn.unwrap_or_else(|| arg_max(probabilities))
}

/// The place of the largest value, the first of equals.
pub fn arg_max(values: &[f32]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]
mod tests {
    use super::*;
    use crate::config::RunConfig;
    use crate::train::pass::{Pass, Passed};
    use burn::tensor::Device;
    use rand::RngExt;

    /// A random base of 20 tokens.
    fn theta() -> Model {
        let model = RunConfig::from_hash("#base=rules&task=rules").0.shape().model;
        Model::random(model, &mut stream(1, "θ"), &Device::flex())
    }

    /// Texts of different lengths.
    fn prompts() -> Vec<Vec<u32>> {
        [4, 2, 7, 2, 5, 1]
            .iter()
            .enumerate()
            .map(|(i, n)| (0..*n).map(|k| (3 * i as u32 + 7 * k) % 20).collect())
            .collect()
    }

    fn run(theta: &Model, pass: &Pass) -> Vec<Written> {
        match pollster::block_on(pass.run(theta, &Phi::none())).unwrap() {
            Passed::Written(written) => written,
            Passed::Scored(_) | Passed::Marked(..) => panic!("nothing is scored"),
        }
    }

    /// Probabilities of some tokens behind a text that is read whole.
    fn anew(theta: &Model, text: &[u32], labels: &[u32], temperature: f32) -> Vec<f32> {
        let (tokens, rows) = Tokens::padded(&[text]);
        let logits = pollster::block_on(read(theta.logits(&Phi::none(), &tokens, &rows).flatten(0, 1))).unwrap();
        let exp: Vec<f32> = labels.iter().map(|label| (logits[*label as usize] / temperature).exp()).collect();
        let sum: f32 = exp.iter().sum();
        exp.iter().map(|exp| exp / sum).collect()
    }

    fn assert_close((places, p): &Written, expected: &[usize], q: f32) {
        assert!(places == expected && (p - q).abs() < 1e-5, "{places:?} {p}, anew {expected:?} {q}");
    }

    #[test]
    fn answers_and_samples_are_those_of_texts_read_anew() {
        let (theta, prompts, length) = (theta(), prompts(), 4);
        let labels: Vec<u32> = (3..15).collect();
        for length in [1, length] {
            let answers = run(&theta, &Pass::Answers { prompts: prompts.clone(), labels: labels.clone(), length });
            for (prompt, answer) in prompts.iter().zip(&answers) {
                let (mut text, mut places, mut product) = (prompt.clone(), Vec::new(), 1.0);
                for _ in 0..length {
                    let row = anew(&theta, &text, &labels, 1.0);
                    let best = arg_max(&row);
                    text.push(labels[best]);
                    places.push(best);
                    product *= row[best];
                }
                assert_close(answer, &places, product);
            }
        }
        let all: Vec<u32> = (0..theta.config.vocab_size as u32).collect();
        let samples = run(&theta, &Pass::Samples { prompts: prompts.clone(), first: 3, length });
        for (i, (prompt, sample)) in prompts.iter().zip(&samples).enumerate() {
            let (mut text, mut tokens, mut sum) = (prompt.clone(), Vec::new(), 0.0);
            let mut random = stream(3 + i as u64, "samples");
            for _ in 0..length {
                let row = anew(&theta, &text, &all, TEMPERATURE);
                let token = drawn(&row, random.random());
                text.push(token as u32);
                tokens.push(token);
                sum += row[token];
            }
            assert_close(sample, &tokens, sum / length as f32);
        }
    }

    #[test]
    fn what_is_written_ends_at_an_end_or_where_the_context_is_full() {
        let (mut theta, prompts) = (theta(), prompts());
        // The longest prompt has room for four more, the last of which is not read.
        let context = 10;
        theta.config.max_position_embeddings = context;
        let all: Vec<u32> = (0..theta.config.vocab_size as u32).collect();
        let greedy: Vec<Vec<(usize, f32)>> = prompts
            .iter()
            .map(|prompt| {
                let mut text = prompt.clone();
                let next = |_| {
                    let row = anew(&theta, &text, &all, 1.0);
                    let best = arg_max(&row);
                    text.push(best as u32);
                    (best, row[best])
                };
                (0..(context + 1 - prompt.len()).min(6)).map(next).collect()
            })
            .collect();
        assert_eq!(greedy[2].len(), 4, "the context cuts one short");
        // Nothing ends, the second token of a text does, the first of another.
        for ends in [vec![], vec![greedy[0][1].0 as u32], vec![greedy[4][0].0 as u32, greedy[0][2].0 as u32]] {
            let written = run(&theta, &Pass::Writes { prompts: prompts.clone(), most: 6, ends: ends.clone() });
            for (greedy, written) in greedy.iter().zip(&written) {
                let end = greedy.iter().position(|(token, _)| ends.contains(&(*token as u32))).unwrap_or(greedy.len());
                let tokens: Vec<usize> = greedy[..end].iter().map(|(token, _)| *token).collect();
                let mean = match end {
                    0 => greedy[0].1,
                    end => greedy[..end].iter().map(|(_, p)| p).sum::<f32>() / end as f32,
                };
                assert_close(written, &tokens, mean);
            }
        }
        let none = run(&theta, &Pass::Writes { prompts: prompts.clone(), most: 0, ends: Vec::new() });
        assert!(none.iter().all(|(tokens, _)| tokens.is_empty()));
    }

    #[test]
    fn each_token_counts_once_as_read() {
        let (prompts, labels) = (prompts(), vec![1, 2]);
        let read = |pass: Pass| pass.tokens_read();
        // Six texts as long as the longest, and what is written but for the last.
        assert_eq!(read(Pass::Answers { prompts: prompts.clone(), labels, length: 1 }), 6 * 7);
        assert_eq!(read(Pass::Samples { prompts: prompts.clone(), first: 0, length: 5 }), 6 * (7 + 4));
        assert_eq!(read(Pass::Writes { prompts, most: 3, ends: Vec::new() }), 6 * (7 + 2));
    }
}
