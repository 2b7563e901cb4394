//! The parts of a run's batches and the passes of its evaluations, and who computes them.

use super::setup::Setup;
use crate::base::Failure;
use crate::model::Model;
use crate::peft::Phi;
use crate::train::data::Batch;
use crate::train::micro_batch::{Assignment, Helpers, Shared, Told, share};
use crate::train::pieces::Piece;
use crate::train::step::Gradient;
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
    /// Milliseconds from any origin.
    clock: fn() -> f64,
}

impl Sharing {
    pub fn new(parts: usize, clock: fn() -> f64) -> Sharing {
        Sharing { parts, helpers: None, assigned: false, scores: None, told: None, clock }
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

    /// What becomes of pieces at φ, beside the helpers that have been given this run.
    pub async fn share(&self, theta: &Model, phi: &Phi, pieces: &[Piece]) -> Result<Shared, Failure> {
        let helpers = self.helpers.as_deref().filter(|_| self.assigned);
        share(theta, phi, pieces, helpers, self.clock).await
    }

    /// The same without helpers.
    pub async fn alone(&self, theta: &Model, phi: &Phi, pieces: &[Piece]) -> Result<Shared, Failure> {
        share(theta, phi, pieces, None, self.clock).await
    }

    /// The gradient of all parts, and how many workers computed them.
    pub async fn gradient(&self, theta: &Model, phi: &Phi, parts: Vec<Batch>) -> Result<(Gradient, usize), Failure> {
        let parts: Vec<Piece> = parts.into_iter().map(Piece::Gradient).collect();
        let Shared { gradient, workers, .. } = self.share(theta, phi, &parts).await?;
        // A batch has examples.
        Ok((gradient.unwrap_or(Gradient { loss: f32::NAN, of_phi: Vec::new() }), workers))
    }
}
