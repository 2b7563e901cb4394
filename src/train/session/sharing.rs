//! The parts of a run's batches, and who computes them.

use super::setup::Setup;
use crate::base::{Failure, read};
use crate::model::Model;
use crate::peft::Phi;
use crate::train::data::Batch;
use crate::train::micro_batch::{Assignment, Helpers, Told, share_out, sum};
use crate::train::step::{Gradient, gradient};
use std::rc::Rc;

/// How batches are cut, and the workers besides this one.
pub(super) struct Sharing {
    parts: usize,
    helpers: Option<Rc<dyn Helpers>>,
    /// Whether the helpers have been given this run.
    assigned: bool,
    /// What φ was made of, for them.
    scores: Option<Vec<f32>>,
    /// What φ was told before they were given this run.
    told: Option<Told>,
}

impl Sharing {
    pub fn new(parts: usize) -> Sharing {
        Sharing { parts, helpers: None, assigned: false, scores: None, told: None }
    }

    /// Parts of a batch.
    pub fn parts(&self) -> usize {
        self.parts
    }

    /// Takes helpers, where there is something to share.
    pub fn help(&mut self, helpers: Option<Rc<dyn Helpers>>) {
        self.helpers = helpers.filter(|_| self.parts > 1);
    }

    pub fn is_helped(&self) -> bool {
        self.helpers.is_some()
    }

    /// Keeps what a prepared φ is made of, where helpers will need it.
    pub fn remember(&mut self, scores: &[f32]) {
        self.scores = self.helpers.is_some().then(|| scores.to_vec());
    }

    /// Takes up a run that has begun already, elsewhere or before another one: helpers have to be given it again,
    /// with what its φ is made of and what that was told.
    pub fn again(&mut self, scores: Option<Vec<f32>>, told: Option<Told>) {
        self.assigned = false;
        (self.scores, self.told) = if self.is_helped() { (scores, told) } else { (None, None) };
    }

    /// Gives the helpers the run, once.
    pub async fn assign(&mut self, setup: &Setup) {
        if let Some(helpers) = self.helpers.as_ref().filter(|_| !self.assigned) {
            let (labels, begins) = (setup.data.labels.clone(), setup.data.begins());
            let scores = self.scores.take();
            helpers.assign(&Assignment { config: setup.config.clone(), labels, begins, scores });
            if let Some(told) = self.told.take() {
                helpers.tell(&told);
            }
            helpers.settle().await;
            self.assigned = true;
        }
    }

    /// Tells the helpers what φ was told.
    pub fn tell(&self, told: impl FnOnce() -> Told) {
        if let Some(helpers) = &self.helpers {
            helpers.tell(&told());
        }
    }

    /// The gradient of all parts, and how many workers computed them. What a helper fails to give is computed
    /// here.
    pub async fn gradient(&self, theta: &Model, phi: &Phi, parts: Vec<Batch>) -> Result<(Gradient, usize), Failure> {
        let ready = self.helpers.as_ref().map(|helpers| helpers.ready()).unwrap_or_default();
        let mut shares = share_out(&parts, 1 + ready.len().min(parts.len() - 1)).into_iter();
        let own = shares.next().unwrap_or_default();
        let mut asked = Vec::new();
        if let Some(helpers) = self.helpers.as_ref().filter(|_| !ready.is_empty()) {
            let mut numbers = Vec::new();
            for tensor in phi.flat() {
                numbers.extend(read(tensor).await?);
            }
            for (helper, share) in ready.into_iter().zip(shares) {
                helpers.send(helper, &numbers, share.iter().map(|i| (*i, parts[*i].clone())).collect());
                asked.push(helper);
            }
        }
        let workers = 1 + asked.len();
        let mut gradients: Vec<Option<Gradient>> = vec![None; parts.len()];
        for i in own {
            gradients[i] = Some(gradient(theta, phi, &parts[i]).await?);
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
                gradients[i] = Some(gradient(theta, phi, part).await?);
            }
        }
        let sum = sum(gradients.into_iter().flatten().collect());
        // A batch has examples.
        Ok((sum.unwrap_or(Gradient { loss: f32::NAN, of_phi: Vec::new() }), workers))
    }
}
