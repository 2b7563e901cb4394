//! The ledger: what a method costs, before anything is trained. Plain functions of shapes, without Burn.
//!
//! A training step is traced as shapes ([`network`]) on a [`Tape`]; a method says in [`Method::trace`](crate::peft::Method::trace)
//! what it adds where. Numbers are single precision, four bytes each.

mod models;
pub mod network;
mod parts;

pub use crate::trace::{Flops, Peak, Phase, Residence};
pub use models::{RealModel, real_models};
pub use network::Batch;
pub use parts::parts;

use crate::config::RunConfig;
use crate::model::ModelConfig;
use crate::peft::{MethodConfig, Shape, Value};
use crate::trace::{NUMBER, OPTIMIZER_FLOPS, Tape};
use network::Network;
use serde::Serialize;

/// Tokens of the sequence that a published model is costed with.
pub const REAL_TOKENS: usize = 512;

/// A model, what is trained of it, and how much is read at once.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    pub shape: Shape,
    pub methods: Vec<&'a MethodConfig>,
    pub batch: Batch,
    /// Parts in which a batch is computed, one after the other, their gradients summed: activations are those of one.
    pub parts: usize,
    /// Tokens of demonstrations or of a discrete prompt in front of each text.
    pub shown: usize,
    pub residence: Residence,
}

/// What a method costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ledger {
    /// `None` where nothing is trained.
    pub training: Option<Training>,
    pub inference: Inference,
    /// Bytes of φ in a file: one task's. θ is stored once.
    pub stored: u64,
    /// Why φ cannot be folded into θ; where it can, inference costs what θ alone costs.
    pub not_merged: Option<String>,
}

/// A training step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Training {
    pub memory: Memory,
    pub forward: Flops,
    pub backward: Flops,
    /// Operations of AdamW.
    pub optimizer: f64,
    /// Tokens of the batch, virtual ones included.
    pub tokens: u64,
}

/// Bytes of a training step, each part at its largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Memory {
    pub theta: u64,
    /// φ itself, and what is frozen and there because of it: a mask, a projection.
    pub phi: u64,
    /// Of φ; frozen parameters have none.
    pub gradients: u64,
    /// AdamW's two moments.
    pub optimizer: u64,
    /// What the forward pass keeps for the backward pass.
    pub activations: u64,
    /// The share of `activations` that is there because of virtual tokens.
    pub in_front: u64,
    /// The most that exists at one moment. Activations are given up as gradients are made, so it is less than the sum where both
    /// are large, and more where working buffers are.
    pub peak: Peak,
}

impl Memory {
    /// The parts in order of a step.
    pub fn parts(&self) -> [u64; 5] {
        [self.theta, self.phi, self.gradients, self.optimizer, self.activations]
    }

    pub fn sum(&self) -> u64 {
        self.parts().iter().sum()
    }
}

/// Answering with θ and φ side by side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Inference {
    pub theta: u64,
    pub phi: u64,
    /// Cached keys and values of all positions of the context that a text takes, one sequence.
    pub cache: u64,
    /// The most activations at a moment of reading a text.
    pub activations: u64,
    /// Operations to read one text, what stands in front of it included.
    pub text: f64,
    /// Operations for one more token, keys and values before it cached.
    pub token: f64,
    /// The same of θ alone: what a merged φ costs.
    pub token_of_theta: f64,
    /// Positions of the context: the text's and those in front of it.
    pub positions: u64,
    pub positions_in_front: u64,
}

impl<'a> Setting<'a> {
    /// A run's on the CPU, in parts as it is computed there.
    pub fn of(config: &'a RunConfig) -> Setting<'a> {
        Setting { parts: parts(config), ..Setting::of_whole(config) }
    }

    /// A part of the batch by itself.
    pub fn part(&self, of: usize) -> Setting<'a> {
        let Batch { sequences, predicted, .. } = self.batch;
        let batch = Batch { sequences: sequences / of, predicted: predicted / of, ..self.batch };
        Setting { batch, parts: 1, ..self.clone() }
    }

    /// A run's with its batch in one. It has the length of the task's longest example.
    pub fn of_whole(config: &'a RunConfig) -> Setting<'a> {
        let length = config.max_tokens();
        let predicted = config.task.predicted(length);
        let sequences = config.batch_size();
        let batch = Batch { sequences, length, predicted: sequences * predicted, past: 0 };
        let methods: Vec<&MethodConfig> = config.methods().collect();
        let room = config.shape().model.max_position_embeddings.saturating_sub(length);
        let shown = methods.iter().map(|m| m.method().shown(length, room)).sum();
        Setting { shape: config.shape(), methods, batch, parts: 1, shown, residence: Residence::Beside }
    }

    fn trace(&self, methods: &[&MethodConfig], batch: Batch) -> Tape {
        let mut tape = Tape::new(self.shape.labels);
        let mut network = Network { model: &self.shape.model, methods, batch, tape: &mut tape };
        let logits = network.logits();
        tape.cross_entropy(logits, batch.predicted);
        tape
    }

    /// What it costs.
    pub fn ledger(&self) -> Ledger {
        let model = &self.shape.model;
        let merges = self
            .methods
            .iter()
            .try_for_each(|m| m.method().merges().map_err(|why| format!("{}: {why}", m.info().title)));
        let trains = self.methods.iter().any(|m| m.method().trains());
        Ledger {
            training: trains.then(|| self.training()),
            inference: self.inference(model),
            stored: self.methods.iter().map(|m| NUMBER * m.method().stored(&self.shape) as u64).sum(),
            not_merged: merges.err(),
        }
    }

    /// The same methods on a published model: one sequence of [`REAL_TOKENS`], every token predicted, φ's copies in θ's place.
    pub fn on(&self, model: &RealModel) -> Setting<'a> {
        let batch = Batch { sequences: 1, length: REAL_TOKENS, predicted: REAL_TOKENS, past: 0 };
        let shape = Shape { model: model.config(), labels: self.shape.labels };
        Setting {
            shape,
            methods: self.methods.clone(),
            batch,
            parts: 1,
            shown: self.shown,
            residence: Residence::InPlace,
        }
    }

    fn training(&self) -> Training {
        let n = self.parts.max(1);
        let part = self.part(n).batch;
        let batch = Batch { length: part.length + self.shown, ..part };
        let tape = self.trace(&self.methods, batch);
        let phi = tape.phi_bytes();
        let added = self.positions_in_front() as usize - self.shown;
        let in_front = if added == 0 {
            0
        } else {
            let bare = without_virtual_tokens(&self.methods);
            let bare: Vec<&MethodConfig> = bare.iter().collect();
            tape.kept_bytes().saturating_sub(self.trace(&bare, batch).kept_bytes())
        };
        Training {
            memory: Memory {
                theta: tape.theta_bytes(self.residence),
                phi: phi + tape.constant_bytes(),
                gradients: phi,
                optimizer: 2 * phi,
                activations: tape.kept_bytes(),
                in_front,
                peak: tape.peak(self.residence, if n > 1 { 2 * phi } else { 0 }),
            },
            forward: tape.forward.times(n),
            backward: tape.backward.times(n),
            optimizer: OPTIMIZER_FLOPS * (phi / NUMBER) as f64,
            tokens: (n * batch.sequences * (batch.length + added)) as u64,
        }
    }

    /// Positions of the context in front of a text.
    fn positions_in_front(&self) -> u64 {
        let virtual_tokens = self.methods.iter().filter(|m| m.method().trains()).map(|m| m.method().positions());
        (self.shown + virtual_tokens.sum::<usize>()) as u64
    }

    fn inference(&self, model: &ModelConfig) -> Inference {
        let positions_in_front = self.positions_in_front();
        let positions = self.batch.length as u64 + positions_in_front;
        let text = Batch { sequences: 1, length: self.batch.length + self.shown, predicted: 1, past: 0 };
        let token = |methods: &[&MethodConfig], past: u64| {
            let batch = Batch { sequences: 1, length: 1, predicted: 1, past: past as usize };
            self.trace(methods, batch).forward.total()
        };
        // A prompt is in the cache like the text's own tokens, a prefix beside it at any time.
        let prefixed = |m: &&&MethodConfig| !m.method().read_with_the_text();
        let kept: Vec<&MethodConfig> = self.methods.iter().filter(prefixed).copied().collect();
        let prefix: usize = kept.iter().filter(|m| m.method().trains()).map(|m| m.method().positions()).sum();
        let read = self.trace(&self.methods, text);
        let layers = model.num_hidden_layers as u64;
        Inference {
            theta: read.theta_bytes(Residence::Beside),
            phi: self.methods.iter().map(|m| NUMBER * m.method().stored(&self.shape) as u64).sum(),
            cache: 2 * layers * positions * NUMBER * model.hidden_size as u64,
            activations: read.forward_bytes(),
            text: read.forward.total(),
            token: token(&kept, positions - prefix as u64),
            token_of_theta: token(&[], self.batch.length as u64),
            positions,
            positions_in_front,
        }
    }
}

/// `410 kB`, `31.2 MB`, `26.6 GB`: three digits.
pub fn bytes(n: u64) -> String {
    scaled(n as f64, &[(1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB")])
}

/// `1.2 MFLOP`: three digits.
pub fn flops(n: f64) -> String {
    scaled(n, &[(1.0, "FLOP"), (1e3, "kFLOP"), (1e6, "MFLOP"), (1e9, "GFLOP"), (1e12, "TFLOP"), (1e15, "PFLOP")])
}

fn scaled(n: f64, units: &[(f64, &str)]) -> String {
    // 999.6 of one unit is 1.00 of the next.
    let (unit, name) = units.iter().rev().find(|(unit, _)| n >= 0.9995 * unit).copied().unwrap_or((1.0, units[0].1));
    match n / unit {
        x if unit == 1.0 => format!("{x:.0} {name}"),
        x if x >= 99.95 => format!("{x:.0} {name}"),
        x if x >= 9.995 => format!("{x:.1} {name}"),
        x => format!("{x:.2} {name}"),
    }
}

/// The methods with nothing in front of the text.
fn without_virtual_tokens(methods: &[&MethodConfig]) -> Vec<MethodConfig> {
    let bare = |method: &&MethodConfig| {
        let mut method = (*method).clone();
        method.method_mut().set("num_virtual_tokens", Value::Integer(0));
        method
    };
    methods.iter().map(bare).collect()
}

#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;
