//! What a run is given, which stays as it is.

use super::evaluations::Evaluations;
use crate::base::{Failure, FailureReason, grouped, stream};
use crate::config::RunConfig;
use crate::kernels::most_bytes;
use crate::peft::{Demonstrations, InitContext, Phi};
use crate::protocol::Answer;
use crate::train::data::TaskData;
use crate::train::evaluate::{answers, samples};
use crate::train::forgetting::Kept;
use crate::train::library::{LoadedBase, Materials};
use burn::tensor::Device;
use std::rc::Rc;

/// Held-out examples whose answers are shown.
pub(super) const SHOWN: usize = 6;
/// Samples of writing: each takes as many passes as it has tokens.
const SAMPLES: usize = 2;

/// Configuration, base, data and device of a run.
pub(super) struct Setup {
    pub run: u32,
    pub config: RunConfig,
    pub base: Rc<LoadedBase>,
    pub data: TaskData,
    pub device: Device,
    pub device_name: String,
    /// Tokens that in-context learning puts in front of every example.
    pub demonstrations: Vec<u32>,
    /// When it is scored, and on how much.
    pub evaluations: Evaluations,
}

/// Refuses a φ whose moments, a pair for each number and all in one tensor, are more than a GPU can use at once.
fn room_for_phi(numbers: u64, most: Option<u64>) -> Result<(), Failure> {
    let bytes = 8 * numbers;
    let Some(most) = most.filter(|most| bytes > *most) else { return Ok(()) };
    Err(Failure {
        reason: FailureReason::Device,
        message: format!(
            "φ has {} numbers, whose moments take {} bytes, and this device can use {} at once: take a method that trains fewer, or train on the CPU (device=cpu).",
            grouped(numbers),
            grouped(bytes),
            grouped(most)
        ),
    })
}

impl Setup {
    pub fn new(
        run: u32,
        config: RunConfig,
        base: Rc<LoadedBase>,
        materials: &Materials,
        device: &Device,
        device_name: &str,
    ) -> Result<Setup, Failure> {
        config.check().map_err(input)?;
        let template = demonstrations(&config).and_then(Demonstrations::template);
        let data = TaskData::new(&config.task, &materials.file, &base.tokenizer, template.as_ref(), config.seed);
        let data = data.map_err(input)?;
        let demonstrations = match demonstrations(&config) {
            Some(shown) => {
                let context = base.theta.config.max_position_embeddings;
                let room = context.saturating_sub(data.longest() + positions(&config));
                data.demonstrations(shown, room).map_err(input)?
            }
            None => Vec::new(),
        };
        room_for_phi(config.trainable(), most_bytes(device))?;
        let (device, device_name) = (device.clone(), device_name.to_string());
        let evaluations = Evaluations::of(&config, base.theta.config.parameters(), 0);
        Ok(Setup { run, config, base, data, device, device_name, demonstrations, evaluations })
    }

    pub fn on_cpu(&self) -> bool {
        self.device_name == "cpu"
    }

    /// Steps to train: none where nothing is trained.
    pub fn steps(&self) -> usize {
        if self.config.trains() { self.config.steps } else { 0 }
    }

    /// Positions that stand in front of every text.
    pub fn added(&self) -> usize {
        positions(&self.config) + self.demonstrations.len()
    }

    /// What φ may start from.
    pub fn context(&self) -> InitContext<'_> {
        InitContext::new(&self.base.theta, &self.device, stream(self.config.seed, "phi"))
            .labels(&self.data.labels)
            .encode(|text| self.base.tokenizer.encode(text))
            .begins(self.data.begins())
            .demonstrations(&self.demonstrations)
    }

    /// φ as the run starts with, its mask by `scores` where it has one.
    pub fn start(&self, scores: Option<Vec<f32>>) -> Phi {
        Phi::init(self.config.methods(), &mut self.context().scores(scores))
    }

    /// What the base could do before, where the run measures what it forgets.
    pub fn kept(&self, materials: &Materials) -> Option<Kept> {
        match (self.config.forgetting, &materials.prose) {
            (true, Some(prose)) => {
                let few = self.base.theta.config.is_large();
                Some(Kept::prose(prose, &self.base.tokenizer, few))
            }
            (true, None) if self.config.task.is_strings() => {
                Some(Kept::rules(self.base.theta.config.max_position_embeddings, self.added()))
            }
            _ => None,
        }
    }

    /// Lets what an evaluation reads besides the examples that it scores count as one of them, by operations.
    pub fn ration(&mut self, kept: Option<&Kept>) {
        let config = &self.base.theta.config;
        let head = (config.vocab_size * config.hidden_size) as f64;
        let blocks = config.parameters() as f64 - head;
        let (mut read, mut predicted) = kept.map_or((0, 0), |kept| kept.tokens());
        let (prompts, answer) = (self.shown_prompts(), self.data.answer_length());
        // Each token of an answer is another pass.
        for prompt in &prompts {
            read += (prompt.len()..prompt.len() + answer).sum::<usize>();
            predicted += answer;
        }
        let example = blocks * self.data.mean_tokens() + head * answer as f64;
        let beside = (blocks * read as f64 + head * predicted as f64) / example.max(1.0);
        self.evaluations = Evaluations::of(&self.config, config.parameters(), beside.ceil() as usize);
    }

    /// What θ ⊕ φ answers to prompts.
    pub async fn answers(&self, phi: &Phi, prompts: &[Vec<u32>]) -> Result<Vec<Answer>, Failure> {
        let (theta, length) = (&self.base.theta, self.data.answer_length());
        let answered = match self.data.is_written() {
            true => samples(theta, phi, prompts, length).await?,
            false => answers(theta, phi, &self.data.labels, prompts, length).await?,
        };
        let named = |(labels, probability): (Vec<usize>, f32)| Answer { text: self.data.answer(&labels), probability };
        Ok(answered.into_iter().map(named).collect())
    }

    /// The prompts of the examples whose answers are shown.
    pub fn shown_prompts(&self) -> Vec<Vec<u32>> {
        let shown = if self.data.is_written() { SAMPLES } else { SHOWN };
        (0..shown.min(self.data.held_out.len())).map(|i| self.data.prompt(i)).collect()
    }
}

/// A fault of what was asked for.
pub(super) fn input(message: impl ToString) -> Failure {
    Failure { reason: FailureReason::Input, message: message.to_string() }
}

/// Positions that the methods put in front.
fn positions(config: &RunConfig) -> usize {
    config.methods().map(|m| m.method().positions()).sum()
}

/// The demonstrations of a run, where one of its methods shows some.
fn demonstrations(config: &RunConfig) -> Option<&Demonstrations> {
    config.methods().find_map(|m| m.method().demonstrations())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn a_phi_whose_moments_a_device_cannot_use_is_refused_with_the_way_on() {
        assert_eq!(room_for_phi(1 << 40, None), Ok(()), "the CPU has no such limit");
        for (numbers, most) in [(17_000_000, 134_217_728), (101, 807)] {
            assert_eq!(room_for_phi(numbers, Some(8 * numbers)), Ok(()));
            let refused = room_for_phi(numbers, Some(most)).unwrap_err();
            assert_eq!(refused.reason, FailureReason::Device);
            for figure in [grouped(numbers), grouped(8 * numbers), grouped(most), "device=cpu".into()] {
                assert!(refused.message.contains(&figure), "{figure}: {}", refused.message);
            }
        }
    }
}
