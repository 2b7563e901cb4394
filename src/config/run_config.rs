//! What a run is, and what follows from it alone.

use crate::base::Fault;
use crate::bases::{BASES, Base};
use crate::model::{ModelConfig, Storage};
use crate::peft::{Count, MethodConfig, Shape};
use crate::task::{TaskConfig, TemplateChoice, Verbalizer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most parts of a batch: as many workers as a laptop has cores to spare.
pub const MOST_PARTS: usize = 4;

/// Sequences of a step on a large base, which takes some tenths of a second for each.
const FEW_SEQUENCES: usize = 8;

/// The greatest λ of the dial.
pub const MOST_LAMBDA: f64 = 1.5;

/// Everything that decides a run: the same configuration on the same kind of device gives the same curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct RunConfig {
    /// One of [`BASES`], or a visitor's own.
    pub base: &'static Base,
    /// What is learnt.
    pub task: TaskConfig,
    /// The words around a text and its label; `None` is what suits base and task.
    pub template: Option<TemplateChoice>,
    /// What stands for each label; `None` is what suits base and task.
    pub labels: Option<Box<Verbalizer>>,
    /// What is trained, and how it meets the network.
    pub method: MethodConfig,
    /// Methods that train together with it, at other sites of the network.
    pub also: Vec<MethodConfig>,
    /// AdamW's peak rate; `None` is the method's tuned default.
    pub lr: Option<f64>,
    /// Sequences per step; `None` is the task's default.
    pub batch_size: Option<usize>,
    /// Steps of the optimizer.
    pub steps: usize,
    /// What every stream of random numbers starts from: batches, and φ at its start.
    pub seed: u64,
    /// Held-out examples that are scored at the end, and of a large base before training; by the base's size where the
    /// visitor does not choose.
    pub scored: Option<usize>,
    /// Where it trains.
    pub device: DeviceChoice,
    /// Workers that share a step on the CPU; by the processor's cores where the visitor does not choose. The
    /// curve does not depend on it.
    pub workers: Option<usize>,
    /// How θ's matrices are held; by the base's size where the visitor does not choose.
    pub theta: Option<Storage>,
    /// Whether evaluations also score what the base could do before.
    pub forgetting: bool,
}

/// Where a run trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// WebGPU where the browser gives a device, else the CPU.
    #[default]
    Auto,
    /// The processor, on one worker or several.
    Cpu,
    /// The browser's GPU, or a sentence where it has none.
    Webgpu,
}

impl DeviceChoice {
    const ALL: [DeviceChoice; 3] = [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Webgpu];
    /// Names, and what the page calls them.
    pub const OPTIONS: [(&'static str, &'static str); 3] = [("auto", "auto"), ("cpu", "CPU"), ("webgpu", "WebGPU")];

    /// Name in URL, flags and JSON.
    pub fn name(self) -> &'static str {
        Self::OPTIONS[self as usize].0
    }

    /// The device of a name.
    pub fn named(name: &str) -> Option<DeviceChoice> {
        Self::ALL.into_iter().find(|device| device.name() == name)
    }
}

impl PartialEq for Base {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Default for RunConfig {
    /// The opening scene: an unseen composition, the registry's first choice of a method.
    fn default() -> Self {
        RunConfig {
            base: &BASES[0],
            task: TaskConfig::Rules { rule: Default::default(), examples: None },
            template: None,
            labels: None,
            method: MethodConfig::opening(),
            also: Vec::new(),
            lr: None,
            batch_size: None,
            steps: 300,
            seed: 0,
            scored: None,
            device: DeviceChoice::Auto,
            workers: None,
            theta: None,
            forgetting: false,
        }
    }
}

impl RunConfig {
    /// The methods that train together, the first one first.
    pub fn methods(&self) -> impl Iterator<Item = &MethodConfig> {
        std::iter::once(&self.method).chain(&self.also)
    }

    /// How θ's matrices are held: as chosen, else a small base's in single precision, a large one's as its file has
    /// them.
    pub fn storage(&self) -> Storage {
        let by_size = || match self.base.config() {
            Ok(model) if model.is_large() => Storage::File,
            _ => Storage::F32,
        };
        self.theta.unwrap_or_else(by_size)
    }

    /// Bytes of θ while a run trains.
    pub fn theta_bytes(&self) -> u64 {
        self.base.theta_bytes(self.storage(), &self.shape().model)
    }

    /// A short name of the methods with the knobs that matter (`LoRA r 4 + prompt 20`).
    pub fn label(&self) -> String {
        self.methods().map(|m| m.method().label()).collect::<Vec<_>>().join(" + ")
    }

    /// AdamW's peak rate.
    pub fn learning_rate(&self) -> f64 {
        self.lr.unwrap_or_else(|| self.tuned_rate())
    }

    /// The rate that a run has where none is set: of several methods' tuned rates the lowest, since one step
    /// moves them all.
    pub fn tuned_rate(&self) -> f64 {
        self.rate_as_on(self.base.rates())
    }

    /// The same where the tuned rates of some base serve.
    pub(super) fn rate_as_on(&self, base: &str) -> f64 {
        let tuned = self.methods().map(|m| m.method().learning_rate(self.task.rates(), base));
        tuned.fold(f64::INFINITY, f64::min)
    }

    /// Whether there is anything to train.
    pub fn trains(&self) -> bool {
        self.methods().any(|m| m.method().trains())
    }

    /// Sequences per step.
    pub fn batch_size(&self) -> usize {
        self.batch_size.unwrap_or_else(|| match self.is_on_large_base() {
            // A window has three times as many tokens as a sentence.
            true if self.task.is_written() => FEW_SEQUENCES / 2,
            true => FEW_SEQUENCES,
            false => self.task.default_batch_size(),
        })
    }

    /// What the closed-form counts depend on.
    pub fn shape(&self) -> Shape {
        #[expect(
            clippy::expect_used,
            reason = "tests parse every shipped config.json, and bringing a base parses its own"
        )]
        let model: ModelConfig = self.base.config().expect("a shipped config.json");
        let labels = self.task.labels(model.vocab_size);
        Shape { model, labels }
    }

    /// Elements of φ as a sum.
    pub fn count(&self) -> Count {
        let shape = self.shape();
        Count::new(self.methods().flat_map(|m| m.method().count(&shape).terms))
    }

    /// Elements of φ.
    pub fn trainable(&self) -> u64 {
        self.count().total()
    }

    /// Parameters in all, as PEFT counts them: θ and what the methods add to it.
    pub fn all_parameters(&self) -> u64 {
        let shape = self.shape();
        shape.model.parameters() + self.methods().map(|m| m.method().added(&shape)).sum::<u64>()
    }

    /// Whether φ can be folded into θ; the first method that cannot says why.
    pub fn merges(&self) -> Result<(), String> {
        let reason = |m: &MethodConfig| m.method().merges().err().map(|why| format!("{}: {why}", m.info().title));
        self.methods().find_map(reason).map_or(Ok(()), Err)
    }

    /// Whether θ ⊕ λφ has a meaning; the first method for which it has none says why.
    pub fn dial(&self) -> Result<(), String> {
        let reason = |m: &MethodConfig| m.info().dial.err().map(|why| format!("{}: {why}", m.info().title));
        self.methods().find_map(reason).map_or(Ok(()), Err)
    }

    /// Refuses a λ that the dial does not have.
    pub fn check_lambda(lambda: f64) -> Result<(), Fault> {
        match (0.0..=MOST_LAMBDA).contains(&lambda) {
            true => Ok(()),
            false => Err(Fault::new("lambda", format!("λ cannot be {lambda}: it runs from 0 to {MOST_LAMBDA}."))),
        }
    }

    /// The same run with one more method.
    pub fn with_also(&self, method: MethodConfig) -> RunConfig {
        let mut config = self.clone();
        config.also.push(method);
        config
    }
}
