//! What is costed, and the sums: a training step and an answer, each traced as shapes.

use super::cost::{Inference, Ledger, Memory, Training};
use super::network::{Batch, Network};
use crate::base::Fault;
use crate::config::RunConfig;
use crate::model::ModelConfig;
use crate::model::{RealModel, Storage};
use crate::peft::{MethodConfig, Shape, Value};
use crate::trace::{Largest, NUMBER, OPTIMIZER_FLOPS, Residence, Tape};

/// Tokens of the sequence that a published model is costed with.
pub const REAL_TOKENS: usize = 512;

/// A model, what is trained of it, and how much is read at once.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// The model, and how many labels the task has.
    pub shape: Shape,
    /// Parts of φ.
    pub methods: Vec<&'a MethodConfig>,
    /// A training step's.
    pub batch: Batch,
    /// Parts in which a batch is computed, one after the other, their gradients summed: activations are those
    /// of one.
    pub parts: usize,
    /// Tokens of demonstrations or of a discrete prompt in front of each text.
    pub shown: usize,
    /// Where copies of θ live that a method trains.
    pub residence: Residence,
    /// Bytes of θ where its matrices are packed; by default it is in single precision.
    pub theta: Option<u64>,
}

impl<'a> Setting<'a> {
    /// A part of the batch by itself.
    pub fn part(&self, of: usize) -> Setting<'a> {
        let Batch { sequences, predicted, .. } = self.batch;
        let batch = Batch { sequences: sequences / of, predicted: predicted / of, ..self.batch };
        Setting { batch, parts: 1, ..self.clone() }
    }

    /// A model by itself, a text at a time.
    pub fn of_theta(model: &ModelConfig) -> Setting<'static> {
        let batch = Batch { sequences: 1, length: 1, predicted: 1, past: 0 };
        let shape = Shape { model: model.clone(), labels: 1 };
        Setting { shape, methods: Vec::new(), batch, parts: 1, shown: 0, residence: Residence::Beside, theta: None }
    }

    /// A run's with its batch in one. It has the length of the task's longest example.
    pub fn of_whole(config: &'a RunConfig) -> Setting<'a> {
        let length = config.max_tokens();
        let predicted = config.task.predicted(length, &config.wording());
        let sequences = config.batch_size();
        let batch = Batch { sequences, length, predicted: sequences * predicted, past: 0 };
        let methods: Vec<&MethodConfig> = config.methods().collect();
        let room = config.shape().model.max_position_embeddings.saturating_sub(length);
        let demonstration = config.longest_demonstration();
        let shown = methods.iter().map(|m| m.method().shown(demonstration, room)).sum();
        let theta = (config.storage() != Storage::F32).then(|| config.theta_bytes());
        Setting { shape: config.shape(), methods, batch, parts: 1, shown, residence: Residence::Beside, theta }
    }

    fn trace(&self, methods: &[&MethodConfig], batch: Batch) -> Tape {
        let mut tape = Tape::new(self.shape.labels);
        tape.stored = self.theta;
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
            stored: self.methods.iter().map(|m| NUMBER * m.method().stored(&self.shape)).sum(),
            not_merged: merges.err(),
        }
    }

    /// The largest tensor besides θ's of a step with the batch in one, backward included.
    pub fn largest(&self) -> Largest {
        self.trace(&self.methods, Batch { length: self.batch.length + self.shown, ..self.batch }).largest()
    }

    /// The same methods on a published model: one sequence of [`REAL_TOKENS`], every token predicted, φ's
    /// copies in θ's place.
    pub fn on(&self, model: &RealModel) -> Setting<'a> {
        let batch = Batch { sequences: 1, length: REAL_TOKENS, predicted: REAL_TOKENS, past: 0 };
        let shape = Shape { model: model.config.clone(), labels: self.shape.labels };
        Setting {
            shape,
            methods: self.methods.clone(),
            batch,
            parts: 1,
            shown: self.shown,
            residence: Residence::InPlace,
            theta: None,
        }
    }

    /// Whether the methods can be on this model at all.
    ///
    /// # Errors
    /// What a run of them would be told.
    pub fn check(&self) -> Result<(), Fault> {
        self.methods.iter().try_for_each(|m| m.method().check(&self.shape, self.batch.length))
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

    /// Operations to read a text that takes so many positions, those in front of it included. A mean of texts
    /// need not be whole.
    pub fn reading(&self, positions: f64) -> f64 {
        // Demonstrations are read like the text.
        let beside = self.positions_in_front() as usize - self.shown;
        let read = (positions - beside as f64).max(1.0);
        let at = |length: usize| {
            let text = Batch { sequences: 1, length, predicted: 1, past: 0 };
            self.trace(&self.methods, text).forward.total()
        };
        let below = at(read as usize);
        match read.fract() {
            0.0 => below,
            share => below + share * (at(read as usize + 1) - below),
        }
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
            theta: read.theta_bytes(self.residence),
            phi: self.methods.iter().map(|m| NUMBER * m.method().stored(&self.shape)).sum(),
            cache: 2 * layers * positions * NUMBER * model.key_value_width() as u64,
            activations: read.forward_bytes(),
            text: self.reading(positions as f64),
            token: token(&kept, positions - prefix as u64),
            token_of_theta: token(&[], self.batch.length as u64),
            positions,
            positions_in_front,
        }
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
