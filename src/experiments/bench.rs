//! What a step costs at fixed shapes, for `cargo xtask bench` and for the test of the ledger.

use crate::base::memory;
use crate::base::stream;
use crate::ledger::{Batch, Residence, Setting};
use crate::model::{Activation, Model, ModelConfig, Sizes, Storage, Tokens};
use crate::peft::{Blocks, MethodConfig, Shape, Value};
use crate::peft::{InitContext, Phi};
use crate::train;
use crate::train::optimizer::Optimizer;
use crate::train::step::{host_answers, watched_step};
use burn::tensor::Device;
use rand::RngExt;
use serde::Serialize;

/// A model and batch of fixed size.
pub struct BenchShape {
    /// As `cargo xtask bench` prints it.
    pub name: &'static str,
    /// Width of the network.
    pub d_model: usize,
    /// Blocks.
    pub layers: usize,
    /// Heads of attention in a block.
    pub heads: usize,
    /// Tokens of the vocabulary.
    pub vocab: usize,
    /// Sequences of a batch.
    pub batch: usize,
    /// Tokens of a sequence.
    pub tokens: usize,
    /// Of a published model, the `config.json`, and then the last token of a sequence is predicted alone, as in the
    /// tasks; else every token predicts the next.
    pub published: Option<&'static str>,
    /// How θ is held.
    pub theta: Storage,
}

/// S is what a laptop should train, rules the opening scene's; s is small enough for software WebGPU. L is
/// SmolLM2-135M's, once more with θ in 5 bits a weight.
pub const SHAPES: [BenchShape; 5] = [
    BenchShape {
        name: "S",
        d_model: 128,
        layers: 4,
        heads: 4,
        vocab: 256,
        batch: 16,
        tokens: 64,
        published: None,
        theta: Storage::F32,
    },
    BenchShape {
        name: "rules",
        d_model: 64,
        layers: 4,
        heads: 4,
        vocab: 20,
        batch: 64,
        tokens: 9,
        published: None,
        theta: Storage::F32,
    },
    BenchShape {
        name: "s",
        d_model: 32,
        layers: 2,
        heads: 4,
        vocab: 64,
        batch: 4,
        tokens: 16,
        published: None,
        theta: Storage::F32,
    },
    BenchShape {
        name: "L",
        d_model: 576,
        layers: 30,
        heads: 9,
        vocab: 49_152,
        batch: 8,
        tokens: 32,
        published: Some(LARGE),
        theta: Storage::F32,
    },
    BenchShape {
        name: "L-q4_1",
        d_model: 576,
        layers: 30,
        heads: 9,
        vocab: 49_152,
        batch: 8,
        tokens: 32,
        published: Some(LARGE),
        theta: Storage::Q4_1,
    },
];

/// The `config.json` of SmolLM2-135M's shape.
const LARGE: &str = include_str!("../../tools/bench/large.json");

/// Tokens that answer, for the last layer's rows of labels.
pub(super) const LABELS: [u32; 7] = [3, 5, 7, 9, 11, 13, 17];

/// What can be measured, under its name: every method that trains at its defaults, LoRA's rank of 8 apart; and
/// LoRA in the first block alone and in the last one alone, for what the gradient's way costs.
pub fn methods(shape: &BenchShape) -> Vec<(String, MethodConfig)> {
    let mut methods: Vec<(String, MethodConfig)> = Vec::new();
    for mut method in MethodConfig::all().into_iter().filter(|m| m.method().trains()) {
        let name = method.info().name;
        if name == MethodConfig::opening().info().name {
            method.method_mut().set("rank", Value::Integer(8));
            for (which, block) in [("first", 0), ("last", shape.layers - 1)] {
                let mut method = method.clone();
                method.method_mut().set("layers", Value::Blocks(Blocks::of(vec![block], shape.layers)));
                methods.push((format!("{name}-{which}-block"), method));
            }
        }
        methods.push((name.to_string(), method));
    }
    methods
}

/// Milliseconds of a step's parts, medians, and its memory.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Measured {
    /// The whole step, its report read back.
    pub ms: f64,
    /// Logits and loss.
    pub forward: f64,
    /// φ's gradient.
    pub backward: f64,
    /// Clip and step.
    pub optimizer: f64,
    /// Bytes at the most, θ included; `None` where nothing counts them.
    pub peak: Option<u64>,
    /// The least that the thread computed in a step, whatever else the machine did; `None` where nothing tells.
    pub cpu: Option<f64>,
}

impl BenchShape {
    /// What counts and the ledger ask for.
    pub fn shape(&self) -> Shape {
        Shape { model: self.config(), labels: LABELS.len() }
    }

    #[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
    pub(super) fn config(&self) -> ModelConfig {
        if let Some(json) = self.published {
            return ModelConfig::from_json(json).expect("the configuration of a published model");
        }
        let sizes = Sizes {
            vocab_size: self.vocab,
            // Room for what stands in front.
            max_position_embeddings: self.tokens + 64,
            hidden_size: self.d_model,
            ffn_dim: 4 * self.d_model,
            num_hidden_layers: self.layers,
            num_attention_heads: self.heads,
        };
        ModelConfig::native(sizes, Activation::Relu)
    }

    /// The same step for the ledger.
    pub fn setting<'a>(&self, method: &'a MethodConfig) -> Setting<'a> {
        self.setting_on(self.config(), method)
    }

    /// The same batch on another model, for the ledger.
    pub fn setting_on<'a>(&self, model: ModelConfig, method: &'a MethodConfig) -> Setting<'a> {
        let predicted = self.rows().len();
        let batch = Batch { sequences: self.batch, length: self.tokens, predicted, past: 0 };
        let shape = Shape { model, labels: LABELS.len() };
        let theta = (self.theta != Storage::F32).then(|| self.theta.bytes(&shape.model, None));
        Setting { shape, methods: vec![method], batch, parts: 1, shown: 0, residence: Residence::Beside, theta }
    }

    /// One of [`SHAPES`] by its name, or, with `/4` behind it, with a fourth of its batch: a part of a step.
    pub fn named(name: &str) -> Option<BenchShape> {
        let (name, parts) = name.split_once('/').unwrap_or((name, "1"));
        let parts: usize = parts.parse().ok()?;
        let shape = SHAPES.iter().find(|shape| shape.name == name)?;
        let whole = parts > 0 && shape.batch.is_multiple_of(parts);
        whole.then(|| BenchShape { batch: shape.batch / parts, ..*shape })
    }

    /// Whether a method is measured where none is named: of a large model LoRA alone, the others take minutes.
    pub fn measures(&self, method: &str) -> bool {
        self.published.is_none() || method == MethodConfig::opening().info().name
    }

    /// Places in the flattened batch whose successors are predicted.
    pub(super) fn rows(&self) -> Vec<usize> {
        let every = if self.published.is_some() { self.tokens } else { 1 };
        (0..self.batch * self.tokens / every).map(|row| (row + 1) * every - 1).collect()
    }

    /// Training steps, the loss read back. On a GPU the parts are the times of
    /// handing over work, not of doing it.
    pub async fn measure(
        &self,
        method: &MethodConfig,
        device: &Device,
        steps: usize,
        clock: fn() -> f64,
    ) -> Result<Measured, crate::base::Failure> {
        self.measure_on(self.config(), method, device, steps, clock).await
    }

    /// The same batch on another model, of the shape's vocabulary.
    pub async fn measure_on(
        &self,
        model: ModelConfig,
        method: &MethodConfig,
        device: &Device,
        steps: usize,
        clock: fn() -> f64,
    ) -> Result<Measured, crate::base::Failure> {
        let theta = Model::random_held(model, self.theta, &mut stream(0, "bench theta"), device);
        // What is alive besides θ stays so.
        let others = memory::live().map(|live| live as u64).unwrap_or(0).saturating_sub(theta.bytes());
        let mut context = InitContext::new(&theta, device, stream(0, "bench phi")).labels(&LABELS);
        let mut phi = Phi::init([method], &mut context);
        let mut optimizer = Optimizer::new();
        let mut rng = stream(0, "bench batches");
        let tokens = Tokens { ids: Vec::new(), sequences: self.batch, length: self.tokens };
        let mut batch = train::data::Batch::of(tokens, self.rows(), Vec::new());
        let (ids, targets) = (self.batch * self.tokens, batch.rows.len());
        let steps = steps.max(3);
        let mut times: [Vec<f64>; 4] = Default::default();
        let (mut peak, mut cpu) = (None, None::<f64>);
        for step in 0..steps {
            // Pruning's masks come before its first step.
            let answers = host_answers(&phi, step, steps).await?;
            phi.host_values(step, steps, answers);
            let mut draw = |n| (0..n).map(|_| rng.random_range(0..self.vocab as i32)).collect::<Vec<i32>>();
            (batch.tokens.ids, batch.targets) = (draw(ids), draw(targets));
            memory::restart();
            let (computed, start) = (thread_ms(), clock());
            let mut ends = [start; 3];
            phi = watched_step(&theta, phi, &batch, &mut optimizer, 1e-3, |stage| ends[stage as usize] = clock());
            let [forward, backward, stepped] = ends;
            optimizer.reports().await?;
            let parts = [clock() - start, forward - start, backward - forward, stepped - backward];
            let computed = thread_ms().zip(computed).map(|(now, then)| now - then);
            cpu = computed.map(|ms| cpu.map_or(ms, |least| least.min(ms)));
            times.iter_mut().zip(parts).for_each(|(times, part)| times.push(part));
            peak = peak.max(memory::peak().map(|peak| (peak as u64).saturating_sub(others)));
        }
        let [ms, forward, backward, optimizer] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        });
        Ok(Measured { ms, forward, backward, optimizer, peak, cpu })
    }
}

/// Milliseconds that this thread has computed, where Linux tells.
fn thread_ms() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(told.split(' ').next()?.parse::<f64>().ok()? / 1e6)
}
