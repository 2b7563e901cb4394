//! What a run is given, which stays as it is.

use super::evaluations::Evaluations;
use crate::base::{Failure, FailureReason, Fault, stream};
use crate::config::{MOST_PARTS, RunConfig};
use crate::kernels::most_bytes;
use crate::ledger::parts;
use crate::peft::{Demonstrations, InitContext, Phi};
use crate::protocol::Answer;
use crate::train::choice::readings;
use crate::train::data::TaskData;
use crate::train::evaluate::{Asked, written};
use crate::train::forgetting::Kept;
use crate::train::library::{LoadedBase, Materials};
use crate::train::pass::{Pass, Passed};
use crate::train::room;
use crate::train::writing::Written;
use burn::tensor::Device;
use std::rc::Rc;

/// Held-out examples whose answers are shown.
pub(super) const SHOWN: usize = 6;
/// Samples of writing: each token is read by itself.
const SAMPLES: usize = 2;

/// Configuration, base, data and device of a run.
pub(super) struct Setup {
    pub run: u32,
    pub config: RunConfig,
    pub base: Rc<LoadedBase>,
    pub data: Rc<TaskData>,
    pub device: Device,
    pub device_name: String,
    /// Tokens that in-context learning puts in front of every example.
    pub demonstrations: Vec<u32>,
    /// When it is scored, and on how much.
    pub evaluations: Evaluations,
    /// Parts of a batch.
    pub parts: usize,
    /// Passes of what is asked of θ and φ, at least.
    pub passes: usize,
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
        let data = materials.examples(&config, &base).map_err(input)?;
        check_room(&config, &data, base.theta.config.max_position_embeddings).map_err(input)?;
        let demonstrations = match demonstrations(&config) {
            Some(shown) => {
                let context = base.theta.config.max_position_embeddings;
                let room = context.saturating_sub(data.longest() + positions(&config));
                data.demonstrations(shown, room).map_err(input)?
            }
            None => Vec::new(),
        };
        let answer = (!data.is_written()).then(|| data.answer_length());
        room::check(&config, answer, most_bytes(device))?;
        let (device, device_name) = (device.clone(), device_name.to_string());
        let evaluations = Evaluations::of(&config, base.theta.config.parameters(), 0, 1);
        // A GPU is one worker, and wants large products.
        let parts = if device_name == "cpu" { parts(&config) } else { 1 };
        // A pass of a small base takes no time, and each costs some.
        let passes = if parts > 1 && base.theta.config.is_large() { MOST_PARTS } else { 1 };
        let setup = Setup { run, config, base, data, device, device_name, demonstrations, evaluations, parts, passes };
        Ok(setup)
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
        // Labels in several tokens are read behind the same text, those that begin alike at once.
        let readings = self.data.sequences().map_or(1, |labels| readings(labels).len());
        for prompt in &prompts {
            // The last token of an answer is only predicted.
            read += readings * (prompt.len() + answer - 1);
            predicted += answer;
        }
        let example = readings as f64 * blocks * self.data.mean_tokens() + head * answer as f64;
        let beside = (blocks * read as f64 + head * predicted as f64) / example.max(1.0);
        self.evaluations = Evaluations::of(&self.config, config.parameters(), beside.ceil() as usize, readings);
    }

    /// θ ⊕ φ, of which something is asked.
    pub fn asked<'a>(&'a self, phi: &'a Phi) -> Asked<'a> {
        Asked { theta: &self.base.theta, phi, passes: self.passes }
    }

    /// What asks θ ⊕ φ to answer prompts.
    pub fn answering(&self, phi: &Phi, prompts: &[Vec<u32>]) -> Result<Vec<Pass>, Failure> {
        let (asked, length) = (self.asked(phi), self.data.answer_length());
        match self.data.sequences() {
            _ if self.data.is_written() => asked.samples(prompts, length),
            _ if self.data.is_answered() => asked.writes(prompts, length, &self.data.ends()),
            Some(labels) => asked.labels(labels, prompts),
            None => asked.answers(&self.data.labels, prompts, length),
        }
    }

    /// The answers that such passes gave.
    pub fn answered(&self, passed: impl IntoIterator<Item = Passed>) -> Vec<Answer> {
        let named = |(labels, probability): Written| Answer { text: self.data.answer(&labels), probability };
        written(passed).into_iter().map(named).collect()
    }

    /// What θ ⊕ φ answers to prompts.
    pub async fn answers(&self, phi: &Phi, prompts: &[Vec<u32>]) -> Result<Vec<Answer>, Failure> {
        Ok(self.answered(self.asked(phi).run(self.answering(phi, prompts)?).await?))
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

/// Whether the context has room for what the tokenizer makes of the longest text in a template's words.
fn check_room(config: &RunConfig, data: &TaskData, context: usize) -> Result<(), Fault> {
    let (tokens, in_front) = (data.most_tokens(), positions(config));
    if tokens + in_front <= context {
        return Ok(());
    }
    let message = format!(
        "A text in these words takes up to {tokens} positions, beside {in_front} in front of it; this base reads {context}: take a shorter template, or shorter labels."
    );
    Err(Fault::new("template", message))
}

/// Positions that the methods put in front.
fn positions(config: &RunConfig) -> usize {
    config.methods().map(|m| m.method().positions()).sum()
}

/// The demonstrations of a run, where one of its methods shows some.
fn demonstrations(config: &RunConfig) -> Option<&Demonstrations> {
    config.methods().find_map(|m| m.method().demonstrations())
}
