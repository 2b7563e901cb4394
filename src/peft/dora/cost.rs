//! What it costs, as shapes.

use super::Dora;
use crate::model::{Hook, ModelConfig, ModulePath};
use crate::peft::{Cost, matrices};
use crate::trace::{Tape, Var};

impl Cost for Dora {
    fn trace(&self, hook: Hook, _model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let (at, x, y) = matrices::update_at(hook, &self.layers, &self.target_modules)?;
        let y = matrices::trace_low_rank(at, x, y, self.rank, tape);
        let (name, (inputs, outputs)) = (ModulePath::Linear(at.block, at.target).key(), at.shape);
        let magnitude = tape.phi(&format!("{name} m"), outputs as u64);
        // ‖W₀ + s·BA‖, a constant to the gradient: the product of B and A, their sum with W₀, squares.
        let [a, b] = [tape.data((inputs * self.rank) as u64), tape.data((self.rank * outputs) as u64)];
        let product = tape.linear(a, b, None, inputs, (self.rank, outputs));
        let moved = tape.add(at.weight, product);
        let squares = tape.multiply(moved, moved);
        let lengths = tape.expand(squares, outputs as u64);
        let factor = tape.multiply(magnitude, lengths);
        let Some(bias) = at.bias else { return Some(tape.multiply(y, factor)) };
        let bare = tape.add(y, bias);
        let scaled = tape.multiply(bare, factor);
        Some(tape.add(scaled, bias))
    }
}
