//! What it costs, as shapes.

use super::Loha;
use crate::model::{Hook, ModelConfig, ModulePath};
use crate::peft::{Cost, matrices};
use crate::trace::{Keeps, Tape, Var};

impl Cost for Loha {
    /// The change is as large as its matrix, made in every forward pass, and kept for the gradient of x.
    fn trace(&self, hook: Hook, _model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let (at, x, y) = matrices::update_at(hook, &self.layers, &self.target_modules)?;
        let (name, (inputs, outputs), r) = (ModulePath::Linear(at.block, at.target).key(), at.shape, self.rank);
        let mut product = |pair: usize| {
            let a = tape.phi(&format!("{name} A{pair}"), (inputs * r) as u64);
            let b = tape.phi(&format!("{name} B{pair}"), (r * outputs) as u64);
            tape.linear(a, b, None, inputs, (r, outputs))
        };
        let [first, second] = [product(1), product(2)];
        let change = tape.multiply(first, second);
        let change = tape.activation(change, Keeps::Nothing, 1);
        let update = tape.linear(x, change, None, at.rows, at.shape);
        Some(tape.add(y, update))
    }
}
