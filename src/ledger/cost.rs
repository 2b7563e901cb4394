//! What comes out: the figures of a [`Ledger`].

use crate::trace::{Flops, Peak};
use serde::Serialize;

/// What a method costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ledger {
    /// `None` where nothing is trained.
    pub training: Option<Training>,
    /// Answering.
    pub inference: Inference,
    /// Bytes of φ in a file: one task's. θ is stored once.
    pub stored: u64,
    /// Why φ cannot be folded into θ; where it can, inference costs what θ alone costs.
    pub not_merged: Option<String>,
}

/// A training step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Training {
    /// Bytes.
    pub memory: Memory,
    /// Operations of the forward pass of a whole batch.
    pub forward: Flops,
    /// Operations of its backward pass.
    pub backward: Flops,
    /// Operations of AdamW.
    pub optimizer: f64,
    /// Tokens of the batch, virtual ones included.
    pub tokens: u64,
}

/// Bytes of a training step, each part at its largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Memory {
    /// Of θ.
    pub theta: u64,
    /// φ itself, and what is frozen and there because of it: a mask, a projection.
    pub phi: u64,
    /// Of φ; frozen parameters have none.
    pub gradients: u64,
    /// AdamW's two moments.
    pub optimizer: u64,
    /// What the forward pass keeps for the backward pass.
    pub activations: u64,
    /// The share of `activations` that is there because of virtual tokens.
    pub in_front: u64,
    /// The most that exists at one moment. Activations are given up as gradients are made, so it is less than
    /// the sum where both are large, and more where working buffers are.
    pub peak: Peak,
}

impl Memory {
    /// The parts in order of a step.
    pub fn parts(&self) -> [u64; 5] {
        [self.theta, self.phi, self.gradients, self.optimizer, self.activations]
    }
}

/// Answering with θ and φ side by side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Inference {
    /// Bytes of θ.
    pub theta: u64,
    /// Bytes of φ.
    pub phi: u64,
    /// Cached keys and values of all positions of the context that a text takes, one sequence.
    pub cache: u64,
    /// The most activations at a moment of reading a text.
    pub activations: u64,
    /// Operations to read one text, what stands in front of it included.
    pub text: f64,
    /// Operations for one more token, keys and values before it cached.
    pub token: f64,
    /// The same of θ alone: what a merged φ costs.
    pub token_of_theta: f64,
    /// Positions of the context: the text's and those in front of it.
    pub positions: u64,
    /// Those in front of the text: demonstrations, virtual tokens, a prefix.
    pub positions_in_front: u64,
}
