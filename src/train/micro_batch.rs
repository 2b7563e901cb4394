//! What workers share: a step's batch in parts, whose gradients are summed in order, and the passes of an
//! evaluation. On one worker one comes after the other, on several they are made side by side. The parts follow from
//! the configuration alone, so the curve is the same on any number of workers, bit for bit.

use super::data::Batch;
use super::pieces::{Outcome, Piece, share_out};
use super::step::Gradient;
use crate::base::{Failure, read, stream};
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

/// The sum of all parts, in their order.
pub fn sum(outcomes: Vec<Outcome>) -> Option<Gradient> {
    let gradients = outcomes.into_iter().filter_map(|outcome| match outcome {
        Outcome::Gradient(gradient) => Some(gradient),
        Outcome::Passed(_) => None,
    });
    gradients.reduce(|mut sum, gradient| {
        sum.loss += gradient.loss;
        sum.of_phi.iter_mut().zip(&gradient.of_phi).for_each(|(sum, g)| *sum += g);
        sum
    })
}

/// What another worker must know to compute pieces of a run.
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

/// What a helper gives back: pieces' numbers with what became of them, or `None` where it is lost.
pub type Outcomes<'a> = Pin<Box<dyn Future<Output = Option<Vec<(usize, Outcome)>>> + 'a>>;

/// A wait for helpers.
pub type Settled<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Other workers that compute pieces.
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

    /// Hands pieces, with their numbers, to a helper: `phi` are φ's numbers.
    fn send(&self, helper: usize, phi: &[f32], pieces: Vec<(usize, Piece)>);

    /// What it made of them; `None` where it is lost.
    fn receive(&self, helper: usize) -> Outcomes<'_>;
}

/// What workers made of pieces.
pub struct Shared {
    /// What became of each piece.
    pub outcomes: Vec<Outcome>,
    /// Workers that computed any.
    pub workers: usize,
    /// Pieces that were computed here.
    pub own: Vec<usize>,
    /// Milliseconds that those took.
    pub own_ms: f64,
}

/// Computes pieces, beside the helpers that are ready. What one of them fails to give is computed here.
///
/// # Errors
/// Where the device is lost.
pub async fn share(
    theta: &Model,
    phi: &Phi,
    pieces: &[Piece],
    helpers: Option<&dyn Helpers>,
    clock: fn() -> f64,
) -> Result<Shared, Failure> {
    let ready = helpers.map(|helpers| helpers.ready()).unwrap_or_default();
    let mut shares = share_out(pieces, 1 + ready.len().min(pieces.len().saturating_sub(1))).into_iter();
    let own = shares.next().unwrap_or_default();
    let mut asked = Vec::new();
    if let Some(helpers) = helpers.filter(|_| shares.len() > 0) {
        let mut numbers = Vec::new();
        for tensor in phi.flat() {
            numbers.extend(read(tensor).await?);
        }
        for (helper, share) in ready.into_iter().zip(shares) {
            helpers.send(helper, &numbers, share.iter().map(|i| (*i, pieces[*i].clone())).collect());
            asked.push(helper);
        }
    }
    let workers = 1 + asked.len();
    let mut outcomes: Vec<Option<Outcome>> = vec![None; pieces.len()];
    let start = clock();
    for i in &own {
        outcomes[*i] = Some(pieces[*i].compute(theta, phi).await?);
    }
    let own_ms = clock() - start;
    for helper in asked {
        let received = match helpers {
            Some(helpers) => helpers.receive(helper).await,
            None => None,
        };
        for (i, outcome) in received.into_iter().flatten() {
            outcomes[i] = Some(outcome);
        }
    }
    let mut all = Vec::with_capacity(pieces.len());
    for (outcome, piece) in outcomes.into_iter().zip(pieces) {
        all.push(match outcome {
            Some(outcome) => outcome,
            None => piece.compute(theta, phi).await?,
        });
    }
    Ok(Shared { outcomes: all, workers, own, own_ms })
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

    /// What becomes of pieces at φ's numbers.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn compute(
        &mut self,
        phi: &[f32],
        pieces: Vec<(usize, Piece)>,
    ) -> Result<Vec<(usize, Outcome)>, Failure> {
        self.phi = self.phi.filled_flat(phi);
        let mut outcomes = Vec::with_capacity(pieces.len());
        for (number, piece) in pieces {
            outcomes.push((number, piece.compute(self.theta, &self.phi).await?));
        }
        Ok(outcomes)
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
        Pieces(Vec<f32>, Vec<(usize, Piece)>),
    }

    struct Thread {
        work: Sender<Work>,
        done: Receiver<Vec<(usize, Outcome)>>,
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

    fn serve(inbox: Receiver<Work>, outbox: Sender<Vec<(usize, Outcome)>>) {
        let mut next = inbox.recv().ok();
        while let Some(Work::Assign(assigned)) = next {
            let (assignment, theta) = *assigned;
            let mut helper = Helper::new(&assignment, &theta, &Device::flex());
            next = loop {
                match inbox.recv() {
                    Ok(Work::Tell(told)) => helper.host_values(told),
                    Ok(Work::Pieces(phi, pieces)) => {
                        let Ok(outcomes) = pollster::block_on(helper.compute(&phi, pieces)) else { return };
                        if outbox.send(outcomes).is_err() {
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

        fn send(&self, helper: usize, phi: &[f32], pieces: Vec<(usize, Piece)>) {
            drop(self.threads[helper].work.send(Work::Pieces(phi.to_vec(), pieces)));
        }

        fn receive(&self, helper: usize) -> Outcomes<'_> {
            Box::pin(async move { self.threads[helper].done.recv().ok() })
        }
    }
}
