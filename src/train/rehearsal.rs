//! A gradient of a few tokens, before a run: a browser compiles well only what has run for a while.

use super::data::Batch;
use super::step::gradient;
use crate::base::{Failure, stream};
use crate::config::RunConfig;
use crate::model::{Model, Tokens, is_small_beside};
use crate::peft::{InitContext, Phi};
use burn::tensor::Device;

/// Tokens that it reads: a tile of the matrix products in full, and a rest.
const TOKENS: usize = 20;

/// Goes once forward and back through θ, with a φ as a run would train. Nothing is kept. A φ that is made from scores,
/// or is not small beside θ, is not worth the wait; whether this one was.
///
/// # Errors
/// Where the device is lost.
pub async fn rehearse(config: &RunConfig, theta: &Model, device: &Device) -> Result<bool, Failure> {
    let scored = config.methods().any(|method| method.method().scores().is_some());
    if scored || !config.trains() || !is_small_beside(config.trainable(), theta.config.parameters()) {
        return Ok(false);
    }
    let mut context = InitContext::new(theta, device, stream(config.seed, "rehearsal")).labels(&[0]);
    let phi = Phi::init(config.methods(), &mut context);
    let ids = (0..TOKENS).map(|i| (i % theta.config.vocab_size) as i32).collect();
    let batch = Batch::of(Tokens { ids, sequences: 1, length: TOKENS }, vec![TOKENS - 1], vec![0]);
    gradient(theta, &phi, &batch).await.map(|_| true)
}
