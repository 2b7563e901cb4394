//! A step's batch in parts, whose gradients are summed in order: on one worker one part after the other, on several side by side. The parts
//! follow from the configuration alone, so the curve is the same on any number of workers, bit for bit.

use super::data::Batch;
use crate::base::Failure;
use crate::base::read;
use crate::base::stream;
use crate::config::RunConfig;
use crate::kernels::cross_entropy;
use crate::model::{Model, Tokens};
use crate::peft::{InitContext, Phi};
use crate::task::Example;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;

/// A part of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    ids: Vec<i32>,
    sequences: usize,
    length: usize,
    rows: Vec<usize>,
    targets: Vec<i32>,
    /// Tokens that the whole batch predicts: the loss is their mean.
    predicted: usize,
}

/// What a part gave: its share of the loss, and of φ's gradient, tensor after tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    pub loss: f32,
    pub of_phi: Vec<f32>,
}

/// Examples in `n` parts of like number, sorted by length, so that little is padding.
pub fn split(mut examples: Vec<Example>, n: usize) -> Vec<Part> {
    examples.sort_by_key(|example| example.tokens.len());
    let predicted = examples.iter().map(|example| example.answer).sum();
    let part = |examples: &[Example]| {
        let Batch { tokens, rows, targets } = Batch::new(examples);
        let Tokens { ids, sequences, length } = tokens;
        Part { ids, sequences, length, rows, targets, predicted }
    };
    examples.chunks(examples.len().div_ceil(n).max(1)).map(part).collect()
}

impl Part {
    /// Its share of the loss and of φ's gradient.
    pub async fn gradient(&self, theta: &Model, phi: &Phi) -> Result<Gradient, Failure> {
        let tokens = Tokens { ids: self.ids.clone(), sequences: self.sequences, length: self.length };
        let logits = theta.logits(phi, &tokens, &self.rows);
        let loss = cross_entropy(logits, &self.targets).sum().div_scalar(self.predicted as f64);
        let gradients = loss.backward();
        let mut of_phi = Vec::new();
        for gradient in phi.flat_gradients(&gradients) {
            of_phi.extend(read(gradient).await?);
        }
        let loss = read(loss.inner()).await?;
        Ok(Gradient { loss: loss[0], of_phi })
    }

    pub fn sequences(&self) -> usize {
        self.sequences
    }

    /// Tokens that are read, padding included.
    pub fn tokens(&self) -> usize {
        self.sequences * self.length
    }
}

/// The parts of each of `workers`, the costliest first and always to whom has least to do.
pub fn share_out(parts: &[Part], workers: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(parts[*i].tokens()));
    let mut shares = vec![(0, Vec::new()); workers.max(1)];
    for i in order {
        if let Some((tokens, share)) = shares.iter_mut().min_by_key(|(tokens, _)| *tokens) {
            *tokens += parts[i].tokens();
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
    pub config: RunConfig,
    /// Tokens of the task's labels.
    pub labels: Vec<u32>,
    /// Tokens that begin every text of the task.
    pub begins: usize,
    /// How much each weight of θ matters, where φ's places follow from that.
    pub scores: Option<Vec<f32>>,
}

/// What φ was told before a step (`Phi::told`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    pub step: usize,
    pub steps: usize,
    pub values: Vec<Vec<Vec<f32>>>,
}

pub type Gradients<'a> = Pin<Box<dyn Future<Output = Option<Vec<(usize, Gradient)>>> + 'a>>;

/// Other workers that compute gradients.
pub trait Helpers {
    /// Takes up a run, in place of another.
    fn assign(&self, assignment: &Assignment);

    fn tell(&self, told: &Told);

    /// The helpers that have loaded what the run needs, by number.
    fn ready(&self) -> Vec<usize>;

    /// Hands parts, with their places in the batch, to a helper: `phi` are φ's numbers.
    fn send(&self, helper: usize, phi: &[f32], parts: Vec<(usize, Part)>);

    /// What it made of them; `None` where it is lost.
    fn receive(&self, helper: usize) -> Gradients<'_>;
}

/// The other side: θ and a φ whose numbers come with every step.
pub struct Helper<'a> {
    theta: &'a Model,
    phi: Phi,
}

impl Helper<'_> {
    pub fn new<'a>(assignment: &Assignment, theta: &'a Model, device: &Device) -> Helper<'a> {
        let mut context = InitContext {
            theta,
            device: &device.clone().autodiff(),
            rng: stream(assignment.config.seed, "phi"),
            labels: &assignment.labels,
            // Values come with every step; what they start from does not matter.
            encode: &|_| Vec::new(),
            begins: assignment.begins,
            demonstrations: &[],
            scores: assignment.scores.clone(),
        };
        Helper { theta, phi: Phi::init(assignment.config.methods(), &mut context) }
    }

    pub fn host_values(&mut self, told: Told) {
        self.phi.host_values(told.step, told.steps, told.values);
    }

    pub async fn gradients(
        &mut self,
        phi: &[f32],
        parts: Vec<(usize, Part)>,
    ) -> Result<Vec<(usize, Gradient)>, Failure> {
        self.phi = self.phi.filled_flat(phi);
        let mut gradients = Vec::with_capacity(parts.len());
        for (place, part) in parts {
            gradients.push((place, part.gradient(self.theta, &self.phi).await?));
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
        Parts(Vec<f32>, Vec<(usize, Part)>),
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

        fn send(&self, helper: usize, phi: &[f32], parts: Vec<(usize, Part)>) {
            drop(self.threads[helper].work.send(Work::Parts(phi.to_vec(), parts)));
        }

        fn receive(&self, helper: usize) -> Gradients<'_> {
            Box::pin(async move { self.threads[helper].done.recv().ok() })
        }
    }
}
