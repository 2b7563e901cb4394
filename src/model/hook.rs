//! The questions of the forward pass, as shapes: what a `Composition` answers in tensors, a method's `trace`
//! answers for the ledger.

use super::{ModulePath, ParamKind, Sublayer, Target};
use crate::trace::Var;

/// A linear layer as a method finds it.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// From 0.
    pub block: usize,
    /// Which of the block's linear layers.
    pub target: Target,
    /// The matrix that is used there.
    pub weight: Var,
    /// Its bias, where it has one.
    pub bias: Option<Var>,
    /// Rows of its input, over all sequences.
    pub rows: usize,
    /// (inputs, outputs)
    pub shape: (usize, usize),
}

/// What the forward pass asks.
#[derive(Clone, Copy, Debug)]
pub enum Hook {
    /// What stands in for a tensor of θ?
    Weight(ModulePath, ParamKind, Var),
    /// For the head, given the tied one?
    Head(Var),
    /// For the input of a linear layer?
    Input(At, Var),
    /// For the output `y` of a linear layer with input `x`?
    Update {
        /// The layer.
        at: At,
        /// Its input `[rows, inputs]`.
        x: Var,
        /// Its output `[rows, outputs]`, before any update.
        y: Var,
    },
    /// Virtual tokens `[n, d]` in front of the text?
    Prompt,
    /// Keys (0) or values (1) `[n, d]` in front of those of a block?
    Prefix(usize, usize),
    /// What follows a sub-layer or accompanies it?
    After {
        /// From 0.
        block: usize,
        /// Attention or MLP.
        sublayer: Sublayer,
        /// What the sub-layer reads, before its norm: `[rows, d_model]`.
        input: Var,
        /// What it gives, before the residual line: `[rows, d_model]`.
        y: Var,
        /// Tokens of all sequences.
        rows: usize,
    },
}
