//! What it costs, as shapes.

use super::Vera;
use crate::model::{Hook, ModelConfig, ModulePath};
use crate::peft::{Cost, matrices};
use crate::trace::{Tape, Var};

impl Cost for Vera {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let (at, x, y) = matrices::update_at(hook, &self.layers, &self.target_modules)?;
        let (name, (inputs, outputs), r) = (ModulePath::Linear(at.block, at.target).key(), at.shape, self.rank);
        let shared = self.shared(model);
        let a = tape.constant("vera A", (shared.0 * r) as u64);
        let b = tape.constant("vera B", (r * shared.1) as u64);
        let (d, scale) = (tape.phi(&format!("{name} d"), r as u64), tape.phi(&format!("{name} b"), outputs as u64));
        let inner = tape.linear(x, a, None, at.rows, (inputs, r));
        let inner = tape.multiply(inner, d);
        let update = tape.linear(inner, b, None, at.rows, (r, outputs));
        let update = tape.multiply(update, scale);
        Some(tape.add(y, update))
    }
}
