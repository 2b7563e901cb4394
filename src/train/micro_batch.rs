//! What workers share: a step's batch in parts, whose gradients are summed in order, and the passes of an
//! evaluation. On one worker one comes after the other, on several they are made side by side. The parts follow from
//! the configuration alone, so the curve is the same on any number of workers, bit for bit.

use super::data::Batch;
use super::pass::Passed;
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

/// What became of pieces, in their order. Gradients are summed, each as soon as those before it are: of a large φ no more
/// of them are held than have to wait.
struct Taken {
    waiting: Vec<Option<Outcome>>,
    /// The first piece that is still to come.
    next: usize,
    gradient: Option<Gradient>,
    passed: Vec<Passed>,
}

impl Taken {
    fn new(pieces: usize) -> Taken {
        Taken { waiting: vec![None; pieces], next: 0, gradient: None, passed: Vec::new() }
    }

    fn take(&mut self, i: usize, outcome: Outcome) {
        if i < self.next || i >= self.waiting.len() {
            return;
        }
        self.waiting[i] = Some(outcome);
        while let Some(outcome) = self.waiting.get_mut(self.next).and_then(Option::take) {
            self.next += 1;
            match (outcome, &mut self.gradient) {
                (Outcome::Passed(passed), _) => self.passed.push(passed),
                (Outcome::Gradient(first), none @ None) => *none = Some(first),
                (Outcome::Gradient(gradient), Some(sum)) => {
                    sum.loss += gradient.loss;
                    sum.of_phi.iter_mut().zip(&gradient.of_phi).for_each(|(sum, g)| *sum += g);
                }
            }
        }
    }
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
    /// The sum of the gradients of all parts.
    pub gradient: Option<Gradient>,
    /// What each pass gave.
    pub passed: Vec<Passed>,
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
    let mut own = shares.next().unwrap_or_default();
    own.sort_unstable();
    let mut asked = Vec::new();
    if let Some(helpers) = helpers.filter(|_| shares.len() > 0) {
        let flat = phi.flat();
        let mut numbers = Vec::with_capacity(flat.iter().map(|tensor| tensor.dims()[0]).sum());
        for tensor in flat {
            numbers.extend(read(tensor).await?);
        }
        for (helper, share) in ready.into_iter().zip(shares) {
            helpers.send(helper, &numbers, share.iter().map(|i| (*i, pieces[*i].clone())).collect());
            asked.push(helper);
        }
    }
    let workers = 1 + asked.len();
    let mut taken = Taken::new(pieces.len());
    let start = clock();
    for i in &own {
        taken.take(*i, pieces[*i].compute(theta, phi).await?);
    }
    let own_ms = clock() - start;
    for helper in asked {
        let received = match helpers {
            Some(helpers) => helpers.receive(helper).await,
            None => None,
        };
        received.into_iter().flatten().for_each(|(i, outcome)| taken.take(i, outcome));
    }
    while let Some(piece) = pieces.get(taken.next) {
        taken.take(taken.next, piece.compute(theta, phi).await?);
    }
    let Taken { gradient, passed, .. } = taken;
    Ok(Shared { gradient, passed, workers, own, own_ms })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(loss: f32, of_phi: [f32; 2]) -> Outcome {
        Outcome::Gradient(Gradient { loss, of_phi: of_phi.into() })
    }

    #[test]
    fn gradients_are_summed_in_order_as_soon_as_they_can_be() {
        // In another order the sums would be others.
        let parts = [[1e8, 1.0], [1.0, 1e-8], [-1e8, -1.0], [0.25, 1e-8]];
        let expected = parts.into_iter().reduce(|a, b| [a[0] + b[0], a[1] + b[1]]).unwrap_or_default();
        for (order, held) in [([0, 1, 2, 3], 0), ([3, 1, 2, 0], 3), ([0, 3, 1, 2], 1)] {
            let mut taken = Taken::new(4);
            let mut most = 0;
            for i in order {
                taken.take(i, gradient(0.5, parts[i]));
                most = most.max(taken.waiting.iter().flatten().count());
            }
            // What comes twice counts once.
            taken.take(2, gradient(0.5, parts[2]));
            assert_eq!((taken.next, most), (4, held), "{order:?}");
            assert_eq!(taken.gradient, Some(Gradient { loss: 2.0, of_phi: expected.into() }), "{order:?}");
        }
    }
}
