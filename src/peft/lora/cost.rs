//! What it costs, as shapes.

use super::Lora;
use crate::model::{Hook, ModelConfig};
use crate::peft::{Cost, matrices};
use crate::trace::{Tape, Var};

impl Cost for Lora {
    fn trace(&self, hook: Hook, _model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let (at, x, y) = matrices::update_at(hook, &self.layers, &self.target_modules)?;
        // What dropout multiplies with is a tensor of its own.
        let x = if self.lora_dropout > 0.0 {
            let mask = tape.data(x.elements);
            tape.multiply(x, mask)
        } else {
            x
        };
        Some(matrices::trace_low_rank(at, x, y, self.rank, tape))
    }

    /// Dropout draws one mask for a whole batch.
    fn draws_for_a_batch(&self) -> bool {
        self.lora_dropout > 0.0
    }
}
