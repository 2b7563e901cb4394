//! Held-out loss, accuracy and answers, without gradients: what is asked, cut into passes, and what these gave put
//! together.

use super::choice::{Choice, Reading, readings};
use super::data::{Batch, TaskData};
use super::pass::{Pass, Passed};
use super::room::{at_once, kept_at_once};
use super::writing::Written;
use crate::base::Failure;
use crate::model::Model;
use crate::peft::Phi;
use crate::protocol::PartScore;
use crate::task::Example;

/// Examples per forward pass where the device can use so many: of like length, so that little is padding.
const CHUNK: usize = 75;

/// Windows of a text at a time: every one of their tokens is predicted.
const WINDOWS: usize = 16;
/// Windows of a live evaluation.
const LIVE_WINDOWS: usize = 24;

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

/// θ and φ of which something is asked, in so many passes at least: others can make some of them.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The network.
    pub theta: &'a Model,
    /// What stands beside it.
    pub phi: &'a Phi,
    /// Passes at least, where there are so many texts.
    pub passes: usize,
}

impl<'a> Asked<'a> {
    /// In as few passes as the device can.
    pub fn of(theta: &'a Model, phi: &'a Phi) -> Asked<'a> {
        Asked { theta, phi, passes: 1 }
    }

    /// Of the first `n` held-out examples, all of them where there are fewer.
    ///
    /// # Errors
    /// Where the device cannot use one alone.
    pub fn held_out(&self, data: &TaskData, n: usize) -> Result<Vec<Pass>, Failure> {
        if data.is_written() {
            let n = if n < data.held_out.len() { LIVE_WINDOWS } else { n };
            return self.next_tokens(data.held_out.iter().take(n));
        }
        if data.is_answered() {
            return self.marked(data.held_out.iter().take(n));
        }
        let Some(labels) = data.sequences() else {
            let passes = self.examples(data.held_out.iter().take(n), &data.labels)?;
            return Ok(passes.into_iter().map(|pass| pass.among(data.among())).collect());
        };
        let n = n.min(data.held_out.len());
        let mut asked: Vec<(Vec<u32>, usize)> = (0..n).map(|i| (data.prompt(i), data.places()[i])).collect();
        asked.sort_by_key(|(prompt, _)| prompt.len());
        let (prompts, right): (Vec<Vec<u32>>, Vec<usize>) = asked.into_iter().unzip();
        let choices = self.choices(&prompts, labels)?;
        let mut right = right.into_iter();
        let of =
            |choice: Choice| Pass::ScoreLabels { right: right.by_ref().take(choice.prompts.len()).collect(), choice };
        Ok(choices.into_iter().map(of).collect())
    }

    /// The likeliest of labels behind prompts, as sequences of tokens: for each, the label's place and its probability
    /// among all.
    ///
    /// # Errors
    /// Where the device cannot use one alone.
    pub fn labels(&self, labels: &[Vec<u32>], prompts: &[Vec<u32>]) -> Result<Vec<Pass>, Failure> {
        Ok(self.choices(prompts, labels)?.into_iter().map(Pass::Labels).collect())
    }

    fn choices(&self, prompts: &[Vec<u32>], labels: &[Vec<u32>]) -> Result<Vec<Choice>, Failure> {
        let readings = readings(labels);
        let most = |of: &dyn Fn(&Reading) -> usize| readings.iter().map(of).max().unwrap_or(0);
        let longest = prompts.iter().map(Vec::len).max().unwrap_or(0) + most(&|reading| reading.tokens.len());
        let predicted = most(&|reading| reading.predicted(labels));
        let at_once = at_once(self.theta, self.phi, longest, predicted, CHUNK)?;
        let together = (CHUNK / readings.len().max(1)).max(1).min(self.share(prompts.len()));
        let of = |prompts: &[Vec<u32>]| Choice { prompts: prompts.to_vec(), labels: labels.to_vec(), at_once };
        Ok(prompts.chunks(together).map(of).collect())
    }

    /// Of examples, each right where every token of its answer is the likeliest of `labels`.
    ///
    /// # Errors
    /// Where the device cannot use one alone.
    pub fn examples<'e>(
        &self,
        examples: impl IntoIterator<Item = &'e Example>,
        labels: &[u32],
    ) -> Result<Vec<Pass>, Failure> {
        let mut examples: Vec<&Example> = examples.into_iter().collect();
        examples.sort_by_key(|e| e.tokens.len());
        let of = |examples: &[&Example]| Pass::Score {
            batch: Batch::new(examples.iter().copied()),
            answers: examples.iter().map(|example| example.answer).collect(),
            labels: labels.to_vec(),
        };
        Ok(examples.chunks(self.texts_at_once(&examples, CHUNK)?).map(of).collect())
    }

    /// Of examples whose answers are written freely.
    fn marked<'e>(&self, examples: impl IntoIterator<Item = &'e Example>) -> Result<Vec<Pass>, Failure> {
        let mut examples: Vec<(usize, &Example)> = examples.into_iter().enumerate().collect();
        examples.sort_by_key(|(_, e)| e.tokens.len());
        let alone: Vec<&Example> = examples.iter().map(|(_, example)| *example).collect();
        let of = |examples: &[(usize, &Example)]| Pass::Mark {
            batch: Batch::new(examples.iter().map(|(_, example)| *example)),
            answers: examples.iter().map(|(_, example)| example.answer).collect(),
            places: examples.iter().map(|(place, _)| *place).collect(),
        };
        Ok(examples.chunks(self.texts_at_once(&alone, WINDOWS)?).map(of).collect())
    }

    /// Of windows of a text: every token is predicted.
    ///
    /// # Errors
    /// Where the device cannot use one alone.
    pub fn next_tokens<'e>(&self, windows: impl IntoIterator<Item = &'e Example>) -> Result<Vec<Pass>, Failure> {
        let windows: Vec<&Example> = windows.into_iter().collect();
        let of = |windows: &[&Example]| Pass::NextTokens(Batch::new(windows.iter().copied()));
        Ok(windows.chunks(self.texts_at_once(&windows, WINDOWS)?).map(of).collect())
    }

    /// Greedy answers to prompts: for each, the labels' places and their probability.
    ///
    /// # Errors
    /// Where the device cannot use one alone.
    pub fn answers(&self, labels: &[u32], prompts: &[Vec<u32>], length: usize) -> Result<Vec<Pass>, Failure> {
        let of = |prompts: &[Vec<u32>]| Pass::Answers { prompts: prompts.to_vec(), labels: labels.to_vec(), length };
        Ok(prompts.chunks(self.prompts_at_once(prompts, length)?).map(of).collect())
    }

    /// Goes on with prompts, token by token: for each, the tokens and the mean probability of one.
    ///
    /// # Errors
    /// Where the device cannot use one alone.
    pub fn samples(&self, prompts: &[Vec<u32>], length: usize) -> Result<Vec<Pass>, Failure> {
        let most = self.prompts_at_once(prompts, length)?;
        let of =
            |(i, prompts): (usize, &[Vec<u32>])| Pass::Samples { prompts: prompts.to_vec(), first: i * most, length };
        Ok(prompts.chunks(most).enumerate().map(of).collect())
    }

    /// Goes on with prompts by the likeliest tokens, till one of `ends`: for each, the tokens in front of that, `most` of
    /// them, and the mean probability of one.
    ///
    /// # Errors
    /// Where the device cannot use one alone.
    pub fn writes(&self, prompts: &[Vec<u32>], most: usize, ends: &[u32]) -> Result<Vec<Pass>, Failure> {
        let of = |prompts: &[Vec<u32>]| Pass::Writes { prompts: prompts.to_vec(), most, ends: ends.to_vec() };
        Ok(prompts.chunks(self.prompts_at_once(prompts, most)?).map(of).collect())
    }

    /// Makes the passes, one after the other.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn run(&self, passes: Vec<Pass>) -> Result<Vec<Passed>, Failure> {
        let mut passed = Vec::with_capacity(passes.len());
        for pass in passes {
            passed.push(pass.run(self.theta, self.phi).await?);
        }
        Ok(passed)
    }

    /// Of `asked` examples those that are read in one pass.
    fn texts_at_once(&self, examples: &[&Example], asked: usize) -> Result<usize, Failure> {
        let longest = examples.iter().map(|e| e.tokens.len() - 1).max().unwrap_or(0);
        let answer = examples.iter().map(|e| e.answer).max().unwrap_or(0);
        at_once(self.theta, self.phi, longest, answer, asked.min(self.share(examples.len())))
    }

    /// The prompts that are read in one pass, `length` tokens behind the longest included.
    fn prompts_at_once(&self, prompts: &[Vec<u32>], length: usize) -> Result<usize, Failure> {
        let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
        let asked = self.share(prompts.len());
        // One token is only predicted: nothing is kept for it.
        let asked = if length > 1 { asked.min(kept_at_once(self.theta, self.phi, longest + length)) } else { asked };
        at_once(self.theta, self.phi, longest + length, 1, asked)
    }

    fn share(&self, texts: usize) -> usize {
        texts.div_ceil(self.passes.max(1)).max(1)
    }
}

/// What passes over examples or windows gave together.
pub fn evaluation(passed: &[Passed]) -> Evaluation {
    let (mut loss, mut tokens, mut right, mut n) = (0.0_f64, 0, 0, 0);
    for passed in passed {
        match passed {
            Passed::Scored(scored) => {
                loss += f64::from(scored.loss);
                tokens += scored.tokens;
                right += scored.right;
                n += scored.n;
            }
            Passed::Marked(nats, marked) => {
                loss += f64::from(*nats);
                tokens += marked.iter().map(|marked| marked.predicted.len()).sum::<usize>();
                right += marked.iter().filter(|marked| marked.is_right).count();
                n += marked.len();
            }
            Passed::Written(_) => {}
        }
    }
    Evaluation { loss: (loss / tokens as f64) as f32, accuracy: right as f64 / n as f64, n }
}

/// What of answers that are written freely is right, by the passes over their examples.
pub fn parts(data: &TaskData, passed: &[Passed]) -> Vec<PartScore> {
    data.parts(passed.iter().flat_map(|passed| match passed {
        Passed::Marked(_, marked) => marked.as_slice(),
        _ => &[],
    }))
}

/// What passes over prompts wrote, in their order.
pub fn written(passed: impl IntoIterator<Item = Passed>) -> Vec<Written> {
    let of = |passed| match passed {
        Passed::Written(written) => written,
        Passed::Scored(_) | Passed::Marked(..) => Vec::new(),
    };
    passed.into_iter().flat_map(of).collect()
}

/// Scores the first `n` held-out examples under θ and φ, all of them where there are fewer.
///
/// # Errors
/// Where the device is lost, or cannot use one example alone.
pub async fn evaluate(theta: &Model, phi: &Phi, data: &TaskData, n: usize) -> Result<Evaluation, Failure> {
    let asked = Asked::of(theta, phi);
    Ok(evaluation(&asked.run(asked.held_out(data, n)?).await?))
}

/// Scores the first `n` held-out examples where the answer is the likeliest of all tokens, not of the labels
/// alone: it counts whether the base knows the form of an answer, too.
///
/// # Errors
/// Where the device is lost, or cannot use one example alone.
pub async fn evaluate_free(theta: &Model, phi: &Phi, data: &TaskData, n: usize) -> Result<Evaluation, Failure> {
    if data.is_answered() {
        // Its answers are of all tokens anyhow.
        return evaluate(theta, phi, data, n).await;
    }
    let all: Vec<u32> = (0..theta.config.vocab_size as u32).collect();
    let asked = Asked::of(theta, phi);
    Ok(evaluation(&asked.run(asked.examples(data.held_out.iter().take(n), &all)?).await?))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::base::stream;
    use crate::config::RunConfig;
    use crate::kernels::MADE_UP;
    use burn::tensor::Device;

    /// Evaluations and answers of a random base, in so many passes at least.
    async fn all(passes: usize) -> Result<(Vec<Evaluation>, Vec<Written>), Failure> {
        let model = RunConfig::from_hash("#base=rules&task=rules").0.shape().model;
        let (theta, phi) = (Model::random(model, &mut stream(1, "θ"), &Device::flex()), Phi::none());
        let example = |i: u32| Example { tokens: (i..i + 6).map(|token| token % 20).collect(), answer: 5 };
        let examples: Vec<Example> = (0..10).map(example).collect();
        let labels: Vec<u32> = (0..12).collect();
        let prompts: Vec<Vec<u32>> = (0..5).map(|i| (i..i + 3).collect()).collect();
        let asked = Asked { theta: &theta, phi: &phi, passes };
        let evaluations = vec![
            evaluation(&asked.run(asked.examples(&examples, &labels)?).await?),
            evaluation(&asked.run(asked.next_tokens(&examples)?).await?),
        ];
        let mut texts = written(asked.run(asked.answers(&labels, &prompts, 2)?).await?);
        texts.extend(written(asked.run(asked.samples(&prompts, 2)?).await?));
        Ok((evaluations, texts))
    }

    type All<'a> = (&'a [Evaluation], &'a [Written]);

    fn assert_same((a, a_written): All<'_>, (b, b_written): All<'_>) {
        for (a, b) in a.iter().zip(b) {
            assert!((a.loss - b.loss).abs() < 1e-6, "{a:?} {b:?}");
            assert_eq!((a.accuracy, a.n), (b.accuracy, b.n));
        }
        for ((tokens, p), (others, q)) in a_written.iter().zip(b_written) {
            assert!(tokens == others && (p - q).abs() < 1e-6);
        }
        assert!(a.len() == 2 && b.len() == 2 && a_written.len() == 10 && b_written.len() == 10);
    }

    #[test]
    fn an_evaluation_is_the_same_in_many_passes() {
        let (whole, written) = pollster::block_on(all(1)).unwrap();
        for passes in [2, 4, 100] {
            let (cut, again) = pollster::block_on(all(passes)).unwrap();
            assert_same((&whole, &written), (&cut, &again));
        }
    }

    /// Nats of tokens behind a prompt, one token after the other, each by a softmax written out.
    async fn plainly(theta: &Model, prompt: &[u32], label: &[u32]) -> Result<f64, Failure> {
        let mut text = prompt.to_vec();
        let mut nats = 0.0;
        for token in label {
            let ids = text.iter().map(|token| *token as i32).collect();
            let tokens = crate::model::Tokens { ids, sequences: 1, length: text.len() };
            let logits = theta.logits(&Phi::none(), &tokens, &[text.len() - 1]);
            let logits = crate::base::read(logits.flatten(0, 1)).await?;
            let sum: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum();
            nats += sum.ln() - f64::from(logits[*token as usize]);
            text.push(*token);
        }
        Ok(nats)
    }

    #[test]
    fn labels_are_scored_as_sequences() {
        let model = RunConfig::from_hash("#base=rules&task=rules").0.shape().model;
        let (theta, phi) = (Model::random(model, &mut stream(1, "θ"), &Device::flex()), Phi::none());
        let labels: [&[Vec<u32>]; 3] = [
            &[vec![3], vec![9], vec![12]],
            &[vec![3, 4], vec![9], vec![3, 5, 6]],
            &[vec![1, 2, 3], vec![2, 1], vec![19, 0]],
        ];
        let prompts: Vec<Vec<u32>> = (0..9).map(|i| (i..i + 2 + i % 4).map(|token| token * 7 % 20).collect()).collect();
        let mut chosen = std::collections::BTreeSet::new();
        for (of, passes) in labels.into_iter().zip([1, 2, 100]) {
            let asked = Asked { theta: &theta, phi: &phi, passes };
            let written = written(pollster::block_on(asked.run(asked.labels(of, &prompts).unwrap())).unwrap());
            for (prompt, (places, probability)) in prompts.iter().zip(written) {
                let nats: Vec<f64> =
                    of.iter().map(|label| pollster::block_on(plainly(&theta, prompt, label)).unwrap()).collect();
                let sum: f64 = nats.iter().map(|nats| (-nats).exp()).sum();
                let best = (0..of.len()).min_by(|a, b| nats[*a].total_cmp(&nats[*b])).unwrap();
                assert_eq!(places, [best]);
                assert!((f64::from(probability) - (-nats[best]).exp() / sum).abs() < 1e-5, "{nats:?}: {probability}");
                chosen.insert(best);
            }
            // Where all have one token, they are also found among the labels' logits.
            if of.iter().all(|label| label.len() == 1) {
                let tokens: Vec<u32> = of.iter().map(|label| label[0]).collect();
                let greedy = super::written(
                    pollster::block_on(asked.run(asked.answers(&tokens, &prompts, 1).unwrap())).unwrap(),
                );
                let again = super::written(pollster::block_on(asked.run(asked.labels(of, &prompts).unwrap())).unwrap());
                for ((one, p), (other, q)) in greedy.iter().zip(&again) {
                    assert!(one == other && (p - q).abs() < 1e-5);
                }
            }
        }
        assert!(chosen.len() > 1, "nothing is told apart: {chosen:?}");
    }

    #[test]
    fn what_a_device_cannot_use_at_once_is_read_in_turns() {
        let at = |most: Option<u64>| {
            MADE_UP.set(most);
            pollster::block_on(all(1))
        };
        let (whole, written) = at(None).unwrap();
        // The MLP's activations of three texts of five tokens.
        let (turns, again) = at(Some(3 * 5 * 4 * 256 + 4)).unwrap();
        assert_same((&whole, &written), (&turns, &again));
        let refused = at(Some(5 * 4 * 256)).unwrap_err().message;
        MADE_UP.set(None);
        assert!(refused.starts_with("A text of 5 positions has activations of an MLP of 5,120 bytes"), "{refused}");
    }
}
