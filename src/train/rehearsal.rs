//! A gradient of a few tokens, before a run: a browser compiles well only what has run for a while.

use super::data::Batch;
use super::step::forward;
use crate::base::stream;
use crate::config::RunConfig;
use crate::model::{Model, Tokens, is_small_beside};
use crate::peft::{InitContext, Phi};
use burn::tensor::Device;

/// Tokens that it reads: a tile of the matrix products in full, and a rest.
const TOKENS: usize = 20;
/// Blocks that it goes through: the others run the same code.
const BLOCKS: usize = 3;

/// Goes once forward and back through the first blocks of θ and its head, with a φ as a run would train, on the CPU.
/// Nothing is kept. A φ that is made from scores, or is not small beside θ, is not worth the wait; whether this one was.
pub fn rehearse(config: &RunConfig, theta: &Model, device: &Device) -> bool {
    let scored = config.methods().any(|method| method.method().scores().is_some());
    if scored || !config.trains() || !is_small_beside(config.trainable(), theta.config.parameters()) {
        return false;
    }
    let mut context = InitContext::new(theta, device, stream(config.seed, "rehearsal")).labels(&[0]);
    let phi = Phi::init(config.methods(), &mut context);
    let ids = (0..TOKENS).map(|i| (i % theta.config.vocab_size) as i32).collect();
    let batch = Batch::of(Tokens { ids, sequences: 1, length: TOKENS }, vec![TOKENS - 1], vec![0]);
    let mut loss = forward(&theta.first_blocks(BLOCKS), &phi, &batch);
    // φ may act behind these blocks alone: there is a way back to it all the same.
    for tensor in phi.flat() {
        loss = loss + tensor.sum().mul_scalar(0.0);
    }
    drop(loss.backward());
    true
}
