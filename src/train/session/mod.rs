//! One run: batch → forward(θ, φ) → loss → backward → step φ.

use super::data::{Batch, TaskData};
use super::evaluate::{Evaluation, answers, evaluate, samples};
use super::forgetting::Kept;
use super::library::{LoadedBase, Materials};
use super::micro_batch::{Assignment, Gradient, Helpers, Part, Told, share_out, split, sum};
use super::optimizer::{Optimizer, Report, learning_rate};
use super::preparation::Preparation;
use crate::base::memory;
use crate::base::read;
use crate::base::stream;
use crate::base::{Failure, FailureReason};
use crate::config::RunConfig;
use crate::kernels::cross_entropy;
use crate::ledger::parts;
use crate::peft::Demonstrations;
use crate::peft::{InitContext, Phi};
use crate::protocol::KeptScore;
use crate::protocol::{Answer, Event, Prediction};
use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use std::rc::Rc;

mod afterwards;

/// Held-out examples of a live evaluation; at the end all of them are scored.
pub const LIVE_EXAMPLES: usize = 140;
/// Held-out examples whose answers are shown.
const SHOWN: usize = 6;
/// Samples of writing: each takes as many passes as it has tokens.
const SAMPLES: usize = 2;
/// Milliseconds beyond which a machine may have slept.
const ASLEEP: f64 = 60_000.0;
/// Milliseconds between read-backs on a GPU besides those of evaluations: it waits at each.
const GPU_REPORT_AFTER: f64 = 250.0;

/// Parts of a [`Session::warm_up`].
pub const WARM_UPS: usize = 3;

/// A step whose loss has not been read back.
struct Stepped {
    step: usize,
    lr: f64,
    tokens: usize,
    workers: usize,
}

/// A run under way. It is driven from outside, one [`advance`](Session::advance) a step.
pub struct Session {
    run: u32,
    config: RunConfig,
    base: Rc<LoadedBase>,
    data: TaskData,
    device: Device,
    device_name: String,
    /// What has to be done before φ can be made, where there is something.
    preparation: Option<Preparation>,
    phi: Phi,
    /// In front of each text.
    virtual_tokens: usize,
    optimizer: Optimizer,
    /// Parts of a batch, and who computes them besides this worker.
    parts: usize,
    helpers: Option<Rc<dyn Helpers>>,
    /// Whether the helpers have been given this run.
    assigned: bool,
    /// What φ was made of, for them.
    scores: Option<Vec<f32>>,
    rng: ChaCha8Rng,
    /// Milliseconds, from any origin.
    clock: fn() -> f64,
    step: usize,
    /// The base's own answers to the shown examples: they do not change.
    base_answers: Vec<Answer>,
    /// Tokens that in-context learning puts in front of every example.
    demonstrations: Vec<u32>,
    /// What the base could do before, where forgetting is measured.
    kept: Option<Kept>,
    /// Steps since the last read-back, their milliseconds, and when that was.
    unreported: Vec<Stepped>,
    unreported_ms: f64,
    reported: f64,
    /// Of a step, when steps were last reported.
    usual_ms: Option<f64>,
    /// What the next advance fails with.
    fault: Option<Failure>,
    /// Bytes in use before φ was made, θ not counted.
    others: Option<u64>,
    /// The most in use in a step, without those.
    peak: Option<u64>,
    /// Milliseconds spent training and evaluating.
    active: f64,
    /// What it has reported, for its file; of answers only the last.
    log: Vec<Event>,
}

impl Session {
    /// A run at step 0.
    pub fn new(
        run: u32,
        config: RunConfig,
        base: Rc<LoadedBase>,
        materials: &Materials,
        device: &Device,
        device_name: &str,
        clock: fn() -> f64,
    ) -> Result<Session, Failure> {
        config.check().map_err(input)?;
        let template = demonstrations(&config).and_then(Demonstrations::template);
        let data = TaskData::new(&config.task, &materials.file, &base.tokenizer, template.as_ref(), config.seed);
        let data = data.map_err(input)?;
        let context = base.theta.config.max_position_embeddings;
        let positions = config.methods().map(|m| m.method().positions()).sum::<usize>();
        let demonstrations = match demonstrations(&config) {
            Some(shown) => {
                let room = context.saturating_sub(data.longest() + positions);
                data.demonstrations(shown, room).map_err(input)?
            }
            None => Vec::new(),
        };
        let kept = match (config.forgetting, &materials.prose) {
            (true, Some(prose)) => Some(Kept::prose(prose, &base.tokenizer)),
            (true, None) if config.task.is_strings() => Some(Kept::rules(context, positions + demonstrations.len())),
            _ => None,
        };
        let weights = 4 * base.theta.config.parameters() as u64;
        let on_cpu = device_name == "cpu";
        let others = memory::live().filter(|_| on_cpu).map(|live| (live as u64).saturating_sub(weights));
        let phi = start(&config, &base, &data, device, None, &demonstrations);
        let preparation = Preparation::of(&config);
        // A GPU is one worker, and wants large products.
        let parts = if on_cpu { parts(&config) } else { 1 };
        Ok(Session {
            run,
            device: device.clone(),
            preparation,
            rng: stream(config.seed, "batches"),
            config,
            base,
            data,
            device_name: device_name.to_string(),
            virtual_tokens: phi.prompt().map_or(0, |p| p.dims()[0]),
            phi,
            optimizer: Optimizer::new(),
            parts,
            helpers: None,
            assigned: false,
            scores: None,
            clock,
            step: 0,
            base_answers: Vec::new(),
            demonstrations,
            kept,
            unreported: Vec::new(),
            unreported_ms: 0.0,
            reported: clock(),
            usual_ms: None,
            fault: None,
            others,
            peak: None,
            active: 0.0,
            log: Vec::new(),
        })
    }

    /// The number that the run was given.
    pub fn run(&self) -> u32 {
        self.run
    }

    fn logged(&mut self, events: Vec<Event>) -> Vec<Event> {
        for event in &events {
            match event {
                Event::Loading { .. } => continue,
                Event::Examples { .. } => self.log.retain(|e| !matches!(e, Event::Examples { .. })),
                _ => {}
            }
            self.log.push(event.clone());
        }
        events
    }

    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Steps done.
    pub fn step(&self) -> usize {
        self.step
    }

    pub fn done(&self) -> bool {
        self.preparation.is_none() && self.fault.is_none() && self.step >= self.steps()
    }

    /// Steps to train: none where nothing is trained.
    fn steps(&self) -> usize {
        if self.config.trains() { self.config.steps } else { 0 }
    }

    /// The network without φ.
    pub fn theta(&self) -> &crate::model::Model {
        &self.base.theta
    }

    pub fn data(&self) -> &TaskData {
        &self.data
    }

    /// φ as it is now.
    pub fn phi(&self) -> &Phi {
        &self.phi
    }

    /// Says what starts, and judges the base before training: the curve's first point. Where φ has to be prepared,
    /// [`advance`](Self::advance) does that first.
    pub async fn begin(&mut self) -> Result<Vec<Event>, Failure> {
        let events = self.first_events().await?;
        Ok(self.logged(events))
    }

    async fn first_events(&mut self) -> Result<Vec<Event>, Failure> {
        self.ask_the_base().await?;
        match &self.preparation {
            Some(preparation) => Ok(vec![preparation.progress(self.run)]),
            None => self.started().await,
        }
    }

    /// The base's own answers to the shown examples.
    async fn ask_the_base(&mut self) -> Result<(), Failure> {
        self.base_answers = self.answers(&Phi::none(), &self.shown_prompts()).await?;
        Ok(())
    }

    /// What φ answers to prompts.
    async fn answers(&self, phi: &Phi, prompts: &[Vec<u32>]) -> Result<Vec<Answer>, Failure> {
        let (theta, length) = (&self.base.theta, self.data.answer_length());
        let answered = match self.data.is_written() {
            true => samples(theta, phi, prompts, length).await?,
            false => answers(theta, phi, &self.data.labels, prompts, length).await?,
        };
        Ok(answered.into_iter().map(|a| self.named(a)).collect())
    }

    async fn started(&mut self) -> Result<Vec<Event>, Failure> {
        let started = Event::Started {
            run: self.run,
            config: self.config.clone(),
            device: self.device_name.clone(),
            trainable: self.config.trainable(),
            total: self.config.all_parameters(),
            steps: self.steps(),
            baselines: self.data.baselines,
        };
        let mut events = vec![started];
        events.extend(self.report().await?);
        if self.done() {
            events.push(self.finished().await?);
        }
        Ok(events)
    }

    /// One step of what has to be done before φ can be made; then φ, and what starts.
    async fn prepare(&mut self, mut preparation: Preparation) -> Result<Vec<Event>, Failure> {
        let scores = preparation.advance(&self.config, &self.base.theta, &self.data, &self.device).await?;
        match scores {
            None => {
                let events = vec![preparation.progress(self.run)];
                self.preparation = Some(preparation);
                Ok(events)
            }
            Some(scores) => {
                self.scores = self.helpers.is_some().then(|| scores.clone());
                let demonstrations = &self.demonstrations;
                self.phi = start(&self.config, &self.base, &self.data, &self.device, Some(scores), demonstrations);
                self.started().await
            }
        }
    }

    /// One step, and whatever is due after it. `single` reads the loss back even where the device would rather not.
    pub async fn advance(&mut self, single: bool) -> Result<Vec<Event>, Failure> {
        let events = self.next_events(single).await?;
        Ok(self.logged(events))
    }

    async fn next_events(&mut self, single: bool) -> Result<Vec<Event>, Failure> {
        if let Some(preparation) = self.preparation.take() {
            let mut events = self.prepare(preparation).await?;
            while single && let Some(preparation) = self.preparation.take() {
                events.extend(self.prepare(preparation).await?);
            }
            return Ok(events);
        }
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if self.done() {
            return Ok(Vec::new());
        }
        let start = (self.clock)();
        memory::restart();
        self.tell_phi().await?;
        self.phi.noise(Some(self.config.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ self.step as u64));
        let examples = self.data.draw(self.config.batch_size(), &mut self.rng);
        let rate = learning_rate(self.config.learning_rate(), self.step, self.config.steps);
        let (tokens, workers);
        if self.parts > 1 {
            let parts = split(examples, self.parts);
            tokens = parts.iter().map(|part| part.tokens() + part.sequences() * self.virtual_tokens).sum();
            let gradient;
            (gradient, workers) = self.gradient(parts).await?;
            let phi = std::mem::replace(&mut self.phi, Phi::none());
            self.phi = self.optimizer.step_flat(phi, &gradient.of_phi, gradient.loss, rate);
        } else {
            let batch = Batch::new(&examples);
            tokens = batch.tokens.sequences * (batch.tokens.length + self.virtual_tokens);
            workers = 1;
            let logits = self.base.theta.logits(&self.phi, &batch.tokens, &batch.rows);
            let loss = cross_entropy(logits, &batch.targets).mean();
            let gradients = loss.backward();
            let phi = std::mem::replace(&mut self.phi, Phi::none());
            self.phi = self.optimizer.step(phi, gradients, loss, rate);
        }
        self.step += 1;
        // Helpers on threads share the allocator.
        let alone = self.helpers.is_none() || cfg!(target_arch = "wasm32");
        if let (Some(peak), Some(others)) = (memory::peak().filter(|_| alone), self.others) {
            self.peak = self.peak.max(Some((peak as u64).saturating_sub(others)));
        }

        let evaluation_due = self.done() || self.step.is_multiple_of(self.evaluation_interval());
        self.unreported.push(Stepped { step: self.step, lr: rate, tokens, workers });
        let waited = (self.clock)() - self.reported;
        let on_gpu = self.device_name != "cpu";
        let mut events = Vec::new();
        if single || !on_gpu || evaluation_due || waited > GPU_REPORT_AFTER || self.optimizer.waits() {
            events = self.steps_done(start).await?;
            if self.fault.is_some() {
                return Ok(events);
            }
        } else {
            self.unreported_ms += (self.clock)() - start;
        }
        if evaluation_due {
            events.extend(self.report().await?);
        }
        // An evaluation may take longer than a step, but not that much longer.
        self.active += awake((self.clock)() - start, self.usual_ms);
        if self.done() {
            events.push(self.finished().await?);
        }
        Ok(events)
    }

    /// Reads back what the steps since the last time report; the one under way began at `start`. From the first loss on that is not a number, the
    /// run has failed.
    async fn steps_done(&mut self, start: f64) -> Result<Vec<Event>, Failure> {
        let reports = self.optimizer.reports().await?;
        self.reported = (self.clock)();
        let ms = std::mem::take(&mut self.unreported_ms) + self.reported - start;
        let steps = std::mem::take(&mut self.unreported);
        let n = steps.len() as f64;
        let ms = awake(ms / n, self.usual_ms);
        self.usual_ms = Some(ms);
        let mut events = Vec::with_capacity(steps.len());
        for (Stepped { step, lr, tokens, workers }, Report { loss, norm }) in steps.into_iter().zip(reports) {
            if !(loss.is_finite() && norm.is_finite()) {
                self.step = step;
                let fault = self.diverged();
                if events.is_empty() {
                    return Err(fault);
                }
                self.fault = Some(fault);
                break;
            }
            events.push(Event::Step { run: self.run, step, loss, lr, ms, tokens, grad_norm: norm, workers });
        }
        Ok(events)
    }

    /// Does one of [`WARM_UPS`] parts of what a run does, so that a GPU has compiled it before a run starts. Changes nothing of the session, which
    /// is at its start.
    pub async fn warm_up(&self, part: usize) -> Result<(), Failure> {
        match part {
            0 => drop(evaluate(&self.base.theta, &self.phi.frozen(), &self.data, LIVE_EXAMPLES).await?),
            1 => drop(self.answers(&self.phi.frozen(), &self.shown_prompts()).await?),
            _ if self.config.trains() => {
                let mut rng = stream(self.config.seed, "warm-up");
                let batch = Batch::new(&self.data.draw(self.config.batch_size(), &mut rng));
                let loss = cross_entropy(self.base.theta.logits(&self.phi, &batch.tokens, &batch.rows), &batch.targets);
                let loss = loss.mean();
                let gradients = loss.backward();
                let mut optimizer = Optimizer::new();
                drop(optimizer.step(self.phi.clone(), gradients, loss, 0.0));
                optimizer.reports().await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Who computes parts of a batch besides this worker.
    pub fn help(&mut self, helpers: Option<Rc<dyn Helpers>>) {
        self.helpers = helpers.filter(|_| self.parts > 1 && self.config.trains());
    }

    /// The gradient of all parts, and how many workers computed them. What a helper fails to give is computed here.
    async fn gradient(&mut self, parts: Vec<Part>) -> Result<(Gradient, usize), Failure> {
        let ready = self.helpers.as_ref().map(|helpers| helpers.ready()).unwrap_or_default();
        let mut shares = share_out(&parts, 1 + ready.len().min(parts.len() - 1)).into_iter();
        let own = shares.next().unwrap_or_default();
        let mut asked = Vec::new();
        if let Some(helpers) = self.helpers.as_ref().filter(|_| !ready.is_empty()) {
            let mut phi = Vec::new();
            for tensor in self.phi.flat() {
                phi.extend(read(tensor).await?);
            }
            for (helper, share) in ready.into_iter().zip(shares) {
                helpers.send(helper, &phi, share.iter().map(|i| (*i, parts[*i].clone())).collect());
                asked.push(helper);
            }
        }
        let workers = 1 + asked.len();
        let mut gradients: Vec<Option<Gradient>> = vec![None; parts.len()];
        for i in own {
            gradients[i] = Some(parts[i].gradient(&self.base.theta, &self.phi).await?);
        }
        for helper in asked {
            let received = match &self.helpers {
                Some(helpers) => helpers.receive(helper).await,
                None => None,
            };
            for (i, gradient) in received.into_iter().flatten() {
                gradients[i] = Some(gradient);
            }
        }
        for (i, part) in parts.iter().enumerate() {
            if gradients[i].is_none() {
                gradients[i] = Some(part.gradient(&self.base.theta, &self.phi).await?);
            }
        }
        let sum = sum(gradients.into_iter().flatten().collect());
        // A batch has examples.
        Ok((sum.unwrap_or(Gradient { loss: f32::NAN, of_phi: Vec::new() }), workers))
    }

    /// The last event: every held-out example scored.
    async fn finished(&mut self) -> Result<Event, Failure> {
        let start = (self.clock)();
        self.phi.finalize();
        let all = evaluate(&self.base.theta, &self.phi.frozen(), &self.data, usize::MAX).await?;
        let took = (self.clock)() - start;
        self.active += took;
        let added = self.config.methods().map(|m| m.method().positions()).sum::<usize>() + self.demonstrations.len();
        Ok(Event::Finished {
            run: self.run,
            step: self.step,
            loss: all.loss,
            accuracy: all.accuracy,
            n: all.n,
            seconds: self.active / 1e3,
            tokens: self.data.mean_tokens() + added as f64,
            ms: took / self.data.held_out.len().max(1) as f64,
            peak: self.peak,
        })
    }

    /// Gives φ what it asks for before this step. What it changes then has another history: the optimizer starts anew.
    async fn tell_phi(&mut self) -> Result<(), Failure> {
        if let Some(helpers) = self.helpers.as_ref().filter(|_| !self.assigned) {
            let (labels, begins) = (self.data.labels.clone(), self.data.begins());
            let scores = self.scores.take();
            helpers.assign(&Assignment { config: self.config.clone(), labels, begins, scores });
            self.assigned = true;
        }
        let (step, steps) = (self.step, self.config.steps);
        let mut told = Vec::new();
        for asked in self.phi.host_reads(step, steps) {
            let mut values = Vec::new();
            for tensor in asked {
                values.push(read(tensor).await?);
            }
            told.push(values);
        }
        if !told.is_empty() {
            if let Some(helpers) = &self.helpers {
                helpers.tell(&Told { step, steps, values: told.clone() });
            }
            self.phi.host_values(step, steps, told);
            self.optimizer = Optimizer::new();
        }
        Ok(())
    }

    /// Some thirty evaluations a run; twice as many of the short `rules` ones, where letters turn right in a few steps.
    fn evaluation_interval(&self) -> usize {
        let points = if self.config.task.is_strings() { 60 } else { 30 };
        (self.config.steps / points).max(1)
    }

    /// Live evaluation and the shown answers.
    async fn report(&self) -> Result<Vec<Event>, Failure> {
        let phi = self.phi.frozen();
        let Evaluation { loss, accuracy, n } = evaluate(&self.base.theta, &phi, &self.data, LIVE_EXAMPLES).await?;
        if !loss.is_finite() {
            return Err(self.diverged());
        }
        let kept = match &self.kept {
            Some(kept) => {
                let Evaluation { loss, accuracy, n } = kept.measure(&self.base.theta, &phi).await?;
                Some(KeptScore { loss, accuracy, n })
            }
            None => None,
        };
        let items = self.shown(&phi).await?;
        Ok(vec![
            Event::Evaluated { run: self.run, step: self.step, loss, accuracy, n, kept },
            Event::Examples { run: self.run, step: self.step, items },
        ])
    }

    /// The answers to the first held-out examples.
    async fn shown(&self, phi: &Phi) -> Result<Vec<Prediction>, Failure> {
        let adapted = self.answers(phi, &self.shown_prompts()).await?;
        let items = adapted.into_iter().enumerate().map(|(index, adapted)| Prediction {
            index: Some(index),
            input: self.data.inputs[index].clone(),
            base: self.base_answers[index].clone(),
            adapted,
            right: Some(self.data.right(index)),
        });
        Ok(items.collect())
    }

    fn shown_prompts(&self) -> Vec<Vec<u32>> {
        let shown = if self.data.is_written() { SAMPLES } else { SHOWN };
        (0..shown.min(self.data.held_out.len())).map(|i| self.data.prompt(i)).collect()
    }

    fn named(&self, (labels, probability): (Vec<usize>, f32)) -> Answer {
        Answer { text: self.data.answer(&labels), probability }
    }

    fn diverged(&self) -> Failure {
        Failure {
            reason: FailureReason::Diverged,
            message: format!(
                "The loss is no longer a number at step {}: the rate {} is too high for {}. Everything before is kept; try a rate ten times lower.",
                self.step,
                self.config.learning_rate(),
                self.config.label()
            ),
        }
    }
}

/// A fault of what was asked for.
fn input(message: impl ToString) -> Failure {
    Failure { reason: FailureReason::Input, message: message.to_string() }
}

/// φ as a run of `config` starts with.
fn start(
    config: &RunConfig,
    base: &LoadedBase,
    data: &TaskData,
    device: &Device,
    scores: Option<Vec<f32>>,
    demonstrations: &[u32],
) -> Phi {
    let mut context = InitContext {
        theta: &base.theta,
        device: &device.clone().autodiff(),
        rng: stream(config.seed, "phi"),
        labels: &data.labels,
        encode: &|text| base.tokenizer.encode(text),
        begins: data.begins(),
        demonstrations,
        scores,
    };
    Phi::init(config.methods(), &mut context)
}

/// Milliseconds that something took, unless the machine slept meanwhile: then what a step usually takes. On some systems a browser's clock
/// goes on in sleep.
fn awake(ms: f64, usual: Option<f64>) -> f64 {
    match usual {
        Some(usual) if ms > ASLEEP && ms > 50.0 * usual => usual,
        _ => ms,
    }
}

/// The demonstrations of a run, where one of its methods shows some.
fn demonstrations(config: &RunConfig) -> Option<&Demonstrations> {
    config.methods().find_map(|m| m.method().demonstrations())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_is_not_a_step() {
        assert_eq!(awake(8.0 * 3.6e6, Some(20.0)), 20.0);
        // Slow devices, first steps, and evaluations take their time.
        for (ms, usual) in [(90_000.0, Some(80_000.0)), (90_000.0, None), (30_000.0, Some(20.0))] {
            assert_eq!(awake(ms, usual), ms);
        }
    }
}
