//! A step of a run, and what is due after it.

use super::run::Session;
use super::timing::Stepped;
use crate::base::Failure;
use crate::peft::Phi;
use crate::protocol::Event;
use crate::train::data::Batch;
use crate::train::micro_batch::{Told, split};
use crate::train::optimizer::{Optimizer, learning_rate};
use crate::train::preparation::Preparation;
use crate::train::step::{host_answers, step};

/// Milliseconds between read-backs on a GPU besides those of evaluations: it waits at each.
const GPU_REPORT_AFTER: f64 = 250.0;

impl Session {
    /// One step, and whatever is due after it. `single` reads the loss back even where the device would
    /// rather not.
    ///
    /// # Errors
    /// Where the loss is no longer a number, or the device is lost. The run cannot go on then.
    pub async fn advance(&mut self, single: bool) -> Result<Vec<Event>, Failure> {
        let events = self.next_events(single).await?;
        self.log.extend(&events);
        Ok(events)
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
        let start = self.timing.now();
        if self.step > 0 && self.start.is_some() {
            let events = self.report_start().await?;
            self.timing.spent_since(start);
            return Ok(events);
        }
        self.peak.restart();
        self.tell_phi().await?;
        let stepped = self.train().await?;
        // Helpers on threads share the allocator.
        if !self.sharing.is_helped() || cfg!(target_arch = "wasm32") {
            self.peak.take();
        }

        let evaluation_due = self.done() || self.step.is_multiple_of(self.setup.evaluations.every);
        let waited = self.timing.stepped(stepped);
        let on_gpu = !self.setup.on_cpu();
        let mut events = Vec::new();
        let told = single || evaluation_due || self.start.is_some();
        if told || !on_gpu || waited > GPU_REPORT_AFTER || self.optimizer.waits() {
            events = self.steps_done(start).await?;
            if self.fault.is_some() {
                return Ok(events);
            }
        } else {
            self.timing.unreported_since(start);
        }
        if single || evaluation_due {
            events.extend(self.report_start().await?);
        }
        if evaluation_due {
            events.extend(self.report().await?);
        }
        self.timing.spent_since(start);
        if self.done() {
            events.push(self.finished().await?);
        }
        Ok(events)
    }

    /// One step of what has to be done before φ can be made; then φ, and what starts.
    async fn prepare(&mut self, mut preparation: Preparation) -> Result<Vec<Event>, Failure> {
        let setup = &self.setup;
        let scores = preparation.advance(&setup.config, &setup.base.theta, &setup.data, &setup.device).await?;
        match scores {
            None => {
                let events = vec![preparation.progress(setup.run)];
                self.preparation = Some(preparation);
                Ok(events)
            }
            Some(scores) => {
                self.sharing.remember(&scores);
                self.phi = setup.start(Some(scores));
                self.started().await
            }
        }
    }

    /// Gives φ what it asks of the host before this step. What it changes then has another history: the
    /// optimizer starts anew.
    async fn tell_phi(&mut self) -> Result<(), Failure> {
        self.sharing.assign(&self.setup).await;
        let (step, steps) = (self.step, self.setup.config.steps);
        let values = host_answers(&self.phi, step, steps).await?;
        if !values.is_empty() {
            self.sharing.tell(|| Told { step, steps, values: values.clone() });
            self.told = Some(step);
            self.phi.host_values(step, steps, values);
            self.optimizer = Optimizer::new();
        }
        Ok(())
    }

    /// The next batch, whole or in parts, and the step that it gives.
    async fn train(&mut self) -> Result<Stepped, Failure> {
        let (config, theta) = (&self.setup.config, &self.setup.base.theta);
        self.phi.noise(Some(config.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ self.step as u64));
        let examples = self.setup.data.draw(config.batch_size(), &mut self.rng);
        let rate = learning_rate(config.learning_rate(), self.step, config.steps);
        let in_front = self.virtual_tokens;
        let read = |batch: &Batch| batch.tokens_read() + batch.tokens.sequences * in_front;
        let (tokens, workers);
        if self.sharing.parts() > 1 {
            let among = self.setup.data.among();
            let parts: Vec<Batch> =
                split(examples, self.sharing.parts()).into_iter().map(|part| part.among(among)).collect();
            tokens = parts.iter().map(read).sum();
            let gradient;
            (gradient, workers) = self.sharing.gradient(theta, &self.phi, parts).await?;
            let phi = std::mem::replace(&mut self.phi, Phi::none());
            self.phi = self.optimizer.step_flat(phi, &gradient.of_phi, gradient.loss, rate);
        } else {
            let batch = Batch::new(&examples).among(self.setup.data.among());
            (tokens, workers) = (read(&batch), 1);
            let phi = std::mem::replace(&mut self.phi, Phi::none());
            self.phi = step(theta, phi, &batch, &mut self.optimizer, rate);
        }
        self.step += 1;
        Ok(Stepped { step: self.step, lr: rate, tokens, workers })
    }
}
