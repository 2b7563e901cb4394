//! What a method costs: its answers to the forward pass's questions, as shapes, for the ledger.

use crate::model::{Hook, ModelConfig};
use crate::trace::{Tape, Var};

/// The twin of the trained half's [`Composition`](crate::model::Composition) in shapes.
pub trait Cost {
    /// What the forward pass costs where this method steps in. `None` leaves the network as it is.
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var>;

    /// Tokens of words that the method puts in front of a text, where the task's longest demonstration has so many of them
    /// and `room` positions are left.
    fn shown(&self, _demonstration: usize, _room: usize) -> usize {
        0
    }

    /// Whether its virtual tokens are read with a text, so that their keys and values lie in the cache with the text's.
    fn read_with_the_text(&self) -> bool {
        false
    }

    /// Whether one random draw serves a whole batch, which then cannot be computed in parts.
    fn draws_for_a_batch(&self) -> bool {
        false
    }
}
