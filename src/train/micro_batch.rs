//! A step's batch in parts, whose gradients are summed in order: on one worker one part after the other, on
//! several side by side. The parts follow from the configuration alone, so the curve is the same on any
//! number of workers, bit for bit.

use super::data::Batch;
use super::step::{Gradient, gradient};
use crate::base::Failure;
use crate::base::stream;
use crate::config::RunConfig;
use crate::model::Model;
use crate::peft::{InitContext, Phi};
use crate::task::Example;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;

/// Examples in `n` parts of like number, sorted by length, so that little is padding.
pub fn split(mut examples: Vec<Example>, n: usize) -> Vec<Batch> {
    examples.sort_by_key(|example| example.tokens.len());
    let predicted = examples.iter().map(|example| example.answer).sum();
    let part = |examples: &[Example]| Batch::new(examples).part_of(predicted);
    examples.chunks(examples.len().div_ceil(n).max(1)).map(part).collect()
}

/// The parts of each of `workers`, the costliest first and always to whom has least to do.
pub fn share_out(parts: &[Batch], workers: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(parts[*i].tokens_read()));
    let mut shares = vec![(0, Vec::new()); workers.max(1)];
    for i in order {
        if let Some((tokens, share)) = shares.iter_mut().min_by_key(|(tokens, _)| *tokens) {
            *tokens += parts[i].tokens_read();
            share.push(i);
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

/// The sum of all parts, in their order.
pub fn sum(gradients: Vec<Gradient>) -> Option<Gradient> {
    gradients.into_iter().reduce(|mut sum, gradient| {
        sum.loss += gradient.loss;
        sum.of_phi.iter_mut().zip(&gradient.of_phi).for_each(|(sum, g)| *sum += g);
        sum
    })
}

/// What another worker must know to compute gradients of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Assignment {
    /// What is trained.
    pub config: RunConfig,
    /// Tokens of the task's labels.
    pub labels: Vec<u32>,
    /// Tokens that begin every text of the task.
    pub begins: usize,
    /// How much each weight of θ matters, where φ's places follow from that.
    pub scores: Option<Vec<f32>>,
}

/// What φ was told before a step ([`Phi::host_values`]).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    /// Steps done.
    pub step: usize,
    /// Steps of the run.
    pub steps: usize,
    /// For each method, for each tensor that it asked for, its numbers.
    pub values: Vec<Vec<Vec<f32>>>,
}

/// What a helper gives back: places in the batch with their gradients, or `None` where it is lost.
pub type Gradients<'a> = Pin<Box<dyn Future<Output = Option<Vec<(usize, Gradient)>>> + 'a>>;

/// A wait for helpers.
pub type Settled<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Other workers that compute gradients.
pub trait Helpers {
    /// Takes up a run, in place of another.
    fn assign(&self, assignment: &Assignment);

    /// Tells φ of every helper what the trainer's was told.
    fn tell(&self, told: &Told);

    /// Waits for those that have loaded the run's base already: they are ready in no time.
    fn settle(&self) -> Settled<'_> {
        Box::pin(std::future::ready(()))
    }

    /// The helpers that have loaded what the run needs, by number.
    fn ready(&self) -> Vec<usize>;

    /// Hands parts, with their places in the batch, to a helper: `phi` are φ's numbers.
    fn send(&self, helper: usize, phi: &[f32], parts: Vec<(usize, Batch)>);

    /// What it made of them; `None` where it is lost.
    fn receive(&self, helper: usize) -> Gradients<'_>;
}

/// The other side: θ and a φ whose numbers come with every step.
pub struct Helper<'a> {
    theta: &'a Model,
    phi: Phi,
}

impl Helper<'_> {
    /// Made for a run, on a device without autodiff.
    pub fn new<'a>(assignment: &Assignment, theta: &'a Model, device: &Device) -> Helper<'a> {
        // Values come with every step; what they start from does not matter.
        let mut context = InitContext::new(theta, device, stream(assignment.config.seed, "phi"))
            .labels(&assignment.labels)
            .begins(assignment.begins)
            .scores(assignment.scores.clone());
        Helper { theta, phi: Phi::init(assignment.config.methods(), &mut context) }
    }

    /// Takes what the trainer's φ was told.
    pub fn host_values(&mut self, told: Told) {
        self.phi.host_values(told.step, told.steps, told.values);
    }

    /// The gradients of parts at φ's numbers, each with its place in the batch.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn gradients(
        &mut self,
        phi: &[f32],
        parts: Vec<(usize, Batch)>,
    ) -> Result<Vec<(usize, Gradient)>, Failure> {
        self.phi = self.phi.filled_flat(phi);
        let mut gradients = Vec::with_capacity(parts.len());
        for (place, part) in parts {
            gradients.push((place, gradient(self.theta, &self.phi, &part).await?));
        }
        Ok(gradients)
    }
}

/// Helpers on threads of their own.
#[cfg(not(target_arch = "wasm32"))]
pub mod threads {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    enum Work {
        Assign(Box<(Assignment, Model)>),
        Tell(Told),
        Parts(Vec<f32>, Vec<(usize, Batch)>),
    }

    struct Thread {
        work: Sender<Work>,
        done: Receiver<Vec<(usize, Gradient)>>,
    }

    /// So many threads besides the one that trains.
    pub struct Threads {
        theta: Model,
        threads: Vec<Thread>,
    }

    impl Threads {
        /// Starts `n` threads, which share θ.
        pub fn new(theta: &Model, n: usize) -> Threads {
            let thread = |_| {
                let ((work, inbox), (outbox, done)) = (channel(), channel());
                std::thread::spawn(move || serve(inbox, outbox));
                Thread { work, done }
            };
            Threads { theta: theta.clone(), threads: (0..n).map(thread).collect() }
        }

        fn to_all(&self, work: impl Fn() -> Work) {
            // A thread that is gone is found out when its gradients are missing.
            self.threads.iter().for_each(|thread| drop(thread.work.send(work())));
        }
    }

    fn serve(inbox: Receiver<Work>, outbox: Sender<Vec<(usize, Gradient)>>) {
        let mut next = inbox.recv().ok();
        while let Some(Work::Assign(assigned)) = next {
            let (assignment, theta) = *assigned;
            let mut helper = Helper::new(&assignment, &theta, &Device::flex());
            next = loop {
                match inbox.recv() {
                    Ok(Work::Tell(told)) => helper.host_values(told),
                    Ok(Work::Parts(phi, parts)) => {
                        let Ok(gradients) = pollster::block_on(helper.gradients(&phi, parts)) else { return };
                        if outbox.send(gradients).is_err() {
                            return;
                        }
                    }
                    other => break other.ok(),
                }
            };
        }
    }

    impl Helpers for Threads {
        fn assign(&self, assignment: &Assignment) {
            self.to_all(|| Work::Assign(Box::new((assignment.clone(), self.theta.clone()))));
        }

        fn tell(&self, told: &Told) {
            self.to_all(|| Work::Tell(told.clone()));
        }

        fn ready(&self) -> Vec<usize> {
            (0..self.threads.len()).collect()
        }

        fn send(&self, helper: usize, phi: &[f32], parts: Vec<(usize, Batch)>) {
            drop(self.threads[helper].work.send(Work::Parts(phi.to_vec(), parts)));
        }

        fn receive(&self, helper: usize) -> Gradients<'_> {
            Box::pin(async move { self.threads[helper].done.recv().ok() })
        }
    }
}
