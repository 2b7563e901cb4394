//! One training step, as everything that trains takes it: batch, forward, loss, backward, clip, step.
//!
//! θ is only read. It stands on a device without autodiff, so the gradient is that of φ and of nothing else.

use super::data::Batch;
use crate::base::{Failure, read};
use crate::model::Model;
use crate::peft::Phi;
use burn::tensor::{Gradients, Tensor};
use serde::{Deserialize, Serialize};

/// One step on a batch: φ after it.
pub fn step(theta: &Model, phi: Phi, batch: &Batch, optimizer: &mut impl ClipAndStep, rate: f64) -> Phi {
    watched_step(theta, phi, batch, optimizer, rate, |_| ())
}

/// The same, which says when each part of it is done.
pub fn watched_step(
    theta: &Model,
    phi: Phi,
    batch: &Batch,
    optimizer: &mut impl ClipAndStep,
    rate: f64,
    mut done: impl FnMut(Stage),
) -> Phi {
    let loss = forward(theta, &phi, batch);
    done(Stage::Forward);
    let gradients = loss.backward();
    done(Stage::Backward);
    let phi = optimizer.clip_and_step(phi, gradients, loss, rate);
    done(Stage::Optimizer);
    phi
}

/// The loss of a batch under θ and φ, `[1]`: mean cross-entropy of the predicted tokens, nats.
pub fn forward(theta: &Model, phi: &Phi, batch: &Batch) -> Tensor<1> {
    let logits = theta.logits(phi, &batch.tokens, &batch.rows);
    batch.mean(batch.nats(logits))
}

/// What ends a step.
pub trait ClipAndStep {
    /// Scales φ's gradient down to a norm of at most [`MAX_NORM`](super::optimizer::MAX_NORM) and steps φ
    /// against it. `loss`, `[1]`, is that of the step, to be reported.
    fn clip_and_step(&mut self, phi: Phi, gradients: Gradients, loss: Tensor<1>, rate: f64) -> Phi;
}

/// The parts of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Logits and loss.
    Forward,
    /// φ's gradient.
    Backward,
    /// Clip and step.
    Optimizer,
}

/// What a batch, or a part of one, gave: its loss, or its share of it, and that of φ's gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gradient {
    /// Nats.
    pub loss: f32,
    /// Tensor after tensor, in the order of [`Phi::flat`]. Between workers it travels beside the rest.
    #[serde(skip)]
    pub of_phi: Vec<f32>,
}

/// Forward and backward alone, read back: what a worker that shares a step computes of it.
///
/// # Errors
/// Where the device is lost.
pub async fn gradient(theta: &Model, phi: &Phi, batch: &Batch) -> Result<Gradient, Failure> {
    let loss = forward(theta, phi, batch);
    let gradients = loss.backward();
    let gradients = phi.flat_gradients(&gradients);
    // A vector that grows may take twice its room.
    let mut of_phi = Vec::with_capacity(gradients.iter().map(|gradient| gradient.dims()[0]).sum());
    for gradient in gradients {
        of_phi.extend(read(gradient).await?);
    }
    let loss = read(loss.inner()).await?;
    Ok(Gradient { loss: loss[0], of_phi })
}

/// Before a step: the numbers that φ asks of the host, for [`Phi::host_values`]; empty where it asks for
/// none.
///
/// # Errors
/// Where the device is lost.
pub async fn host_answers(phi: &Phi, step: usize, steps: usize) -> Result<Vec<Vec<Vec<f32>>>, Failure> {
    let mut answers = Vec::new();
    for asked in phi.host_reads(step, steps) {
        let mut values = Vec::new();
        for tensor in asked {
            values.push(read(tensor).await?);
        }
        answers.push(values);
    }
    Ok(answers)
}
