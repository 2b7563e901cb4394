//! Checks that run natively, in the browser on the CPU, and on WebGPU: everything that reads a tensor is asynchronous.
#![allow(dead_code, unused_imports, unused_macros)] // Each test binary uses its part.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use peft_lab::base::read;
use peft_lab::base::stream;
use peft_lab::model::{Activation, Model, ModelConfig, Sizes, Tokens};
use peft_lab::peft::MethodConfig;
use peft_lab::peft::{InitContext, Phi};
use peft_lab::train;
use peft_lab::train::data::Batch;
use peft_lab::train::optimizer::Optimizer;
use peft_lab::train::step::{ClipAndStep, forward, host_answers};
use rand::RngExt;
use std::collections::BTreeSet;

/// Labels of the tiny task.
pub const LABELS: [u32; 3] = [4, 9, 17];

/// Two blocks, small enough for software WebGPU.
pub fn tiny_config(activation: Activation) -> ModelConfig {
    let sizes = Sizes {
        vocab_size: 23,
        max_position_embeddings: 24,
        hidden_size: 16,
        ffn_dim: 32,
        num_hidden_layers: 2,
        num_attention_heads: 2,
    };
    ModelConfig::native(sizes, activation)
}

pub fn tiny_model(device: &Device) -> Model {
    Model::random(tiny_config(Activation::GeluNew), &mut stream(1, "tiny model"), device)
}

/// A method at its defaults with some knobs set.
pub fn method(name: &str, knobs: &[(&str, &str)]) -> MethodConfig {
    let mut method = MethodConfig::named(name).expect("a method of the registry");
    for (knob, value) in knobs {
        method.set(knob, value).expect("a value within the knob's range");
    }
    method
}

/// Every method, with the knobs that change what is computed: the lines of `tests/fixtures/variants.txt`. What is on record
/// follows their order.
pub fn methods() -> Vec<MethodConfig> {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let mut method = MethodConfig::named(words.next().unwrap_or_default()).expect("a method of the registry");
        for word in words {
            let (knob, value) = word.split_once('=').expect("knob=value");
            method.set(knob, value).expect("a value within the knob's range");
        }
        method
    };
    include_str!("../fixtures/variants.txt").lines().map(line).collect()
}

/// The variants of the method that a name of [`peft_lab::each_method`] stands for: `last_layer` is `last-layer`. None of what
/// trains nothing.
pub fn named(test: &str) -> Vec<MethodConfig> {
    let name = test.replace('_', "-");
    methods().into_iter().filter(|method| method.info().name == name).collect()
}

/// Every method of the registry that trains has tests, and they compute something.
pub fn check_all_are_named(tests: &[&str]) {
    let all: BTreeSet<String> = MethodConfig::all().iter().map(|m| m.info().name.replace('-', "_")).collect();
    let tests: BTreeSet<String> = tests.iter().map(|test| test.to_string()).collect();
    assert_eq!(tests, all, "each_method lists the methods of the registry");
    for method in MethodConfig::all().into_iter().filter(|m| m.method().trains()) {
        let name = method.info().name;
        assert!(!named(name).is_empty(), "tests/fixtures/variants.txt has a line of {name}");
    }
}

/// Two sequences and, for each, two places whose successors are predicted.
pub fn tiny_batch(seed: u64) -> Batch {
    let mut rng = stream(seed, "tiny batch");
    let ids = (0..14).map(|_| rng.random_range(0..23)).collect();
    let targets = (0..4).map(|_| LABELS[rng.random_range(0..3_u32) as usize] as i32).collect();
    Batch::of(Tokens { ids, sequences: 2, length: 7 }, vec![5, 6, 12, 13], targets)
}

pub fn phi(theta: &Model, method: &MethodConfig, device: &Device) -> Phi {
    phi_with(theta, method, device, None)
}

/// φ with scores of θ's weights for its mask.
pub fn phi_with(theta: &Model, method: &MethodConfig, device: &Device, scores: Option<Vec<f32>>) -> Phi {
    let mut context = InitContext::new(theta, device, stream(2, "tiny phi"))
        .labels(&LABELS)
        .encode(|_| vec![1, 2, 3])
        .begins(1)
        .scores(scores);
    let mut phi = Phi::init([method], &mut context);
    phi.noise(Some(5));
    phi
}

/// Gives φ what it asks for before a step, as a session does.
pub async fn tell(phi: &mut Phi, step: usize, steps: usize) {
    let told = host_answers(phi, step, steps).await.expect("what φ asks for is read back");
    phi.host_values(step, steps, told);
}

/// Tensors whose gradient is the slope of the loss. DoRA takes the length of W₀ + s·BA for a constant, so that the
/// gradients of A and B are not: they are compared with PEFT's.
fn is_slope(method: &MethodConfig, tensor: usize) -> bool {
    method.info().name != "dora" || tensor % 3 == 2
}

/// Adds numbers to the tensors of φ.
struct Nudge<F> {
    /// What is added to the tensor of a place, of so many elements.
    added: F,
    place: usize,
}

impl<F: FnMut(usize, usize) -> Option<Vec<f32>>> ModuleMapper for Nudge<F> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let n = param.val().shape().num_elements();
        let added = (self.added)(self.place, n);
        self.place += 1;
        let Some(added) = added else { return param };
        param.map(|t| {
            let shape = t.shape();
            let added = Tensor::<1>::from_data(TensorData::new(added, [n]), &t.device());
            t + added.reshape(shape)
        })
    }
}

/// φ moved by what `added` gives for each place and number of elements.
fn nudged(phi: &Phi, added: impl FnMut(usize, usize) -> Option<Vec<f32>>) -> Phi {
    phi.clone().valid().map(&mut Nudge { added, place: 0 })
}

/// φ away from its start, where no tensor's gradient is zero by construction.
pub fn stirred(phi: &Phi) -> Phi {
    let mut rng = stream(3, "stir");
    nudged(phi, |_, n| Some((0..n).map(|_| 0.3 * (2.0 * rng.random::<f32>() - 1.0)).collect())).train()
}

/// The gradients of every tensor of φ, flattened, in the same order.
struct Gradients<'a> {
    gradients: &'a GradientsParams,
    found: Vec<Option<Tensor<1>>>,
}

impl ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.gradients.get::<D>(param.id);
        self.found.push(gradient.map(|g| {
            let n = g.shape().num_elements();
            g.reshape([n])
        }));
    }
}

/// Gradients, a flat list for each tensor of φ.
async fn gradients(method: &MethodConfig, theta: &Model, phi: &Phi) -> Result<Vec<Vec<f32>>, String> {
    let gradients = GradientsParams::from_grads(forward(theta, phi, &tiny_batch(0)).backward(), phi);
    let mut visitor = Gradients { gradients: &gradients, found: Vec::new() };
    phi.visit(&mut visitor);
    let mut values = Vec::new();
    for (place, gradient) in visitor.found.into_iter().enumerate() {
        let gradient = gradient.ok_or_else(|| format!("{method:?}: tensor {place} has no gradient"))?;
        values.push(read(gradient).await.map_err(|f| f.message)?);
    }
    Ok(values)
}

fn length<'a>(values: impl IntoIterator<Item = &'a f32>) -> f32 {
    values.into_iter().map(|v| v * v).sum::<f32>().sqrt()
}

/// Compares the slope of the loss along a direction of length 1 with the gradient's component there.
///
/// Tolerance: the loss is near 3 in `f32`, so its rounding is some 4e-7; over 2ε = 0.04 that is 1e-5 of noise in a
/// derivative, and the truncation is of order ε². A wrong formula is off by its own size, so 2 % + 3e-4 tells them apart.
/// A bend of the loss (a ReLU that switches, a steep place) weighs as much less as the step is shorter: where the first step does
/// not agree an eighth of it is taken, and an eighth of that. What is wrong agrees with none.
async fn check_slope(
    theta: &Model,
    phi: &Phi,
    slope: f32,
    direction: impl Fn(usize) -> Option<Vec<f32>>,
) -> Result<(), String> {
    const EPSILON: f32 = 2e-2;
    let mut found = Vec::new();
    for epsilon in [EPSILON, EPSILON / 8.0, EPSILON / 64.0] {
        let mut ends = [0.0_f32; 2];
        for (end, step) in ends.iter_mut().zip([epsilon, -epsilon]) {
            let scaled = |place| direction(place).map(|d: Vec<f32>| d.iter().map(|d| step * d).collect());
            let moved = nudged(phi, |place, _| scaled(place));
            *end = read(forward(theta, &moved, &tiny_batch(0))).await.map_err(|f| f.message)?[0];
        }
        let difference = (ends[0] - ends[1]) / (2.0 * epsilon);
        if (difference - slope).abs() <= 0.02 * slope + 3e-4 {
            return Ok(());
        }
        found.push(difference);
    }
    Err(format!("gradient {slope}, finite differences {found:?}"))
}

/// Compares φ's gradient, tensor by tensor, with central differences of the loss along the gradient's own direction.
pub async fn check_gradients(method: &MethodConfig, device: &Device) -> Result<(), String> {
    check_gradients_on(&tiny_model(device), method, device).await
}

/// The same on any θ with a vocabulary of 23 or more tokens.
pub async fn check_gradients_on(theta: &Model, method: &MethodConfig, device: &Device) -> Result<(), String> {
    let mut phi = stirred(&phi(theta, method, device));
    tell(&mut phi, 0, STEPS).await;
    let gradients = gradients(method, theta, &phi).await?;
    let mut checked = 0;
    for (tensor, gradient) in gradients.iter().enumerate() {
        let norm = length(gradient);
        if norm < 1e-6 || !is_slope(method, tensor) {
            // A key's bias shifts every score of a query alike: softmax does not see it, and its gradient is zero.
            continue;
        }
        let direction = |place| (place == tensor).then(|| gradient.iter().map(|g| g / norm).collect());
        let check = check_slope(theta, &phi, norm, direction).await;
        check.map_err(|e| format!("{method:?}: tensor {tensor}: {e}"))?;
        checked += 1;
    }
    if checked == 0 { Err(format!("{method:?}: no gradient was checked")) } else { Ok(()) }
}

/// For a slow device: compares φ's gradient, element by element, with that of the CPU, which is checked tensor by tensor; then
/// the whole of it with one central difference on the device.
pub async fn check_gradients_like_the_cpu(method: &MethodConfig, device: &Device) -> Result<(), String> {
    let cpu = {
        let theta = tiny_model(&Device::flex());
        let mut phi = stirred(&phi(&theta, method, &Device::flex()));
        tell(&mut phi, 0, STEPS).await;
        gradients(method, &theta, &phi).await?
    };
    let theta = tiny_model(device);
    let mut phi = stirred(&phi(&theta, method, device));
    tell(&mut phi, 0, STEPS).await;
    let gradients = gradients(method, &theta, &phi).await?;
    let norm = length(cpu.iter().flatten());
    if cpu.len() != gradients.len() || norm < 1e-3 {
        return Err(format!("{method:?}: {} tensors, {} on the CPU, norm {norm}", gradients.len(), cpu.len()));
    }
    for (tensor, (found, expected)) in gradients.iter().zip(&cpu).enumerate() {
        for (a, b) in found.iter().zip(expected) {
            // Sums of some hundred products in another order, each rounded to 6e-8 of values of order 1.
            if found.len() != expected.len() || (a - b).abs() > 1e-5 + 1e-4 * b.abs() {
                return Err(format!("{method:?}: tensor {tensor}: gradient {a}, on the CPU {b}"));
            }
        }
    }
    let slopes = gradients.iter().enumerate().filter(|(tensor, _)| is_slope(method, *tensor));
    let norm = length(slopes.flat_map(|(_, g)| g));
    let direction = |place: usize| is_slope(method, place).then(|| gradients[place].iter().map(|g| g / norm).collect());
    check_slope(&theta, &phi, norm, direction).await.map_err(|e| format!("{method:?}: {e}"))
}

/// Steps with gradients that do not depend on φ, so that both devices have the same: then φ and what the optimizer reports are the same too.
pub async fn check_steps_like_the_cpu(device: &Device) -> Result<(), String> {
    let ((here, reports), (there, expected)) = (stepped(device).await, stepped(&Device::flex()).await);
    // Losses are sums of five thousand products that cancel each other.
    for (what, found, expected, tolerance) in [("φ", here, there, 1e-6), ("reports", reports, expected, 1e-4)] {
        let differs = |(a, b): (&f32, &f32)| (a - b).abs() > tolerance * (1.0 + b.abs());
        if found.len() != expected.len() {
            return Err(format!("{what}: {} numbers, on the CPU {}", found.len(), expected.len()));
        }
        if let Some(i) = found.iter().zip(&expected).position(differs) {
            return Err(format!("{what} after steps, number {i}: {}, on the CPU {}", found[i], expected[i]));
        }
    }
    Ok(())
}

/// Every value of φ after some steps, and what was reported.
async fn stepped(device: &Device) -> (Vec<f32>, Vec<f32>) {
    let theta = tiny_model(device);
    let mut phi = phi(&theta, &method("full", &[]), device);
    let mut optimizer = Optimizer::new();
    let mut reported = Vec::new();
    for (step, length) in [0.1, 30.0, 0.01].into_iter().enumerate() {
        let mut rng = stream(step as u64, "slopes");
        let slopes = phi.flat().into_iter().map(|tensor| {
            let n = tensor.dims()[0];
            let slopes: Vec<f32> = (0..n).map(|_| length * rng.random_range(-0.1..0.1)).collect();
            (tensor * Tensor::from_data(TensorData::new(slopes, [n]), &device.clone().autodiff())).sum()
        });
        let loss = slopes.reduce(|a, b| a + b).expect("φ has tensors");
        let gradients = loss.backward();
        phi = optimizer.clip_and_step(phi, gradients, loss, 1e-2);
        if step > 0 {
            let reports = optimizer.reports().await.expect("reports are read back");
            reported.extend(reports.iter().flat_map(|report| [report.loss, report.norm]));
        }
    }
    assert_eq!(reported.len(), 6, "a report for each step");
    (values(&phi).await, reported)
}

/// An optimizer that is made again from its moments steps as the one that kept them, bit for bit.
pub async fn check_optimizer_after_a_break(device: &Device) -> Result<(), String> {
    const STEPS: usize = 4;
    let theta = tiny_model(device);
    // Tensors of many sizes, most of them no multiple of a block.
    let start = phi(&theta, &method("full", &[]), device);
    let mut trained = Vec::new();
    for breaks in [false, true] {
        let (mut phi, mut optimizer) = (start.clone(), Optimizer::new());
        for i in 0..STEPS {
            if breaks && i == 2 {
                let (steps, moments) = optimizer.moments().await.map_err(|failure| failure.message)?;
                optimizer = Optimizer::after(steps, moments);
                // φ comes from a file, too.
                let values = values(&phi).await;
                phi = phi.filled_flat(&values);
            }
            phi = train::step::step(&theta, phi, &tiny_batch(i as u64), &mut optimizer, 1e-2);
            optimizer.reports().await.map_err(|failure| failure.message)?;
        }
        trained.push(values(&phi).await);
    }
    if trained[0] == trained[1] { Ok(()) } else { Err("other numbers after a break".into()) }
}

/// Losses of a few steps: the same natively, in the browser and on WebGPU to 1e-3.
pub async fn losses(method: &MethodConfig, device: &Device, steps: usize) -> Vec<f32> {
    losses_on(&tiny_model(device), method, device, steps).await
}

/// The same on any θ with a vocabulary of 23 or more tokens.
pub async fn losses_on(theta: &Model, method: &MethodConfig, device: &Device, steps: usize) -> Vec<f32> {
    let mut phi = phi(theta, method, device);
    let mut optimizer = Optimizer::new();
    for step in 0..steps {
        tell(&mut phi, step, steps).await;
        phi = train::step::step(theta, phi, &tiny_batch(step as u64), &mut optimizer, 1e-2);
    }
    let reports = optimizer.reports().await.expect("losses are read back");
    reports.iter().map(|report| report.loss).collect()
}

/// Every value of φ.
pub async fn values(phi: &Phi) -> Vec<f32> {
    let mut values = Vec::new();
    for tensor in phi.frozen().flat() {
        values.extend(read(tensor).await.expect("φ is read back"));
    }
    values
}

/// Steps of [`LOSSES`].
pub const STEPS: usize = 3;

/// What the native trainer finds on [`methods`], in their order.
const LOSSES: &[[f32; STEPS]] = &include!("losses.in");

/// Whether the losses of a method are those of the native trainer, to 1e-3.
pub async fn check_losses(method: &MethodConfig, device: &Device) -> Result<(), String> {
    let place = methods().iter().position(|other| other == method).ok_or("not one of methods()")?;
    let expected = LOSSES.get(place).ok_or("losses.in is too short")?;
    let found = losses(method, device, STEPS).await;
    match found.len() == STEPS && found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-3) {
        true => Ok(()),
        false => Err(format!("{method:?}: losses {found:?}, natively {expected:?}")),
    }
}
