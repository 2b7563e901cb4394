//! What one worker computes at once, and who of several computes what.

use super::data::Batch;
use super::pass::{Pass, Passed};
use super::step::{Gradient, gradient};
use crate::base::Failure;
use crate::model::Model;
use crate::peft::Phi;
use serde::{Deserialize, Serialize};

/// What a worker computes at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Piece {
    /// The gradient of a part of a batch.
    Gradient(Batch),
    /// A pass forward of θ and φ, without what is random.
    Pass(Pass),
    /// The same of θ alone.
    OfTheta(Pass),
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The gradient of the part.
    Gradient(Gradient),
    /// What the pass gave.
    Passed(Passed),
}

impl Piece {
    /// Texts in it.
    pub fn texts(&self) -> usize {
        match self {
            Piece::Gradient(batch) => batch.tokens.sequences,
            Piece::Pass(pass) | Piece::OfTheta(pass) => pass.texts(),
        }
    }

    /// Tokens that are read, padding included; backward takes twice as long as forward.
    fn cost(&self) -> usize {
        match self {
            Piece::Gradient(batch) => 3 * batch.tokens_read(),
            Piece::Pass(pass) | Piece::OfTheta(pass) => pass.tokens_read(),
        }
    }

    /// Computes it.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn compute(&self, theta: &Model, phi: &Phi) -> Result<Outcome, Failure> {
        Ok(match self {
            Piece::Gradient(batch) => Outcome::Gradient(gradient(theta, phi, batch).await?),
            Piece::Pass(pass) => Outcome::Passed(pass.run(theta, &phi.frozen()).await?),
            Piece::OfTheta(pass) => Outcome::Passed(pass.run(theta, &Phi::none()).await?),
        })
    }
}

/// The pieces of each of `workers`, the costliest first and always to whom has least to do.
pub fn share_out(pieces: &[Piece], workers: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(pieces[*i].cost()));
    let mut shares = vec![(0, Vec::new()); workers.max(1)];
    for i in order {
        if let Some((cost, share)) = shares.iter_mut().min_by_key(|(cost, _)| *cost) {
            *cost += pieces[i].cost();
            share.push(i);
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
}
