//! What it costs, as shapes.

use super::{Sparse, weights};
use crate::model::{Hook, ModelConfig, ParamKind};
use crate::peft::Cost;
use crate::trace::{Tape, Var};

impl Cost for Sparse {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let Hook::Weight(_, ParamKind::Matrix, theta) = hook else { return None };
        // How many of them lie in a matrix depends on the scores; on average it is the matrix's share.
        let k = weights(model).min(self.num_weights as u64);
        let delta = tape.phi("Δ", k);
        let share = k as f64 * theta.elements as f64 / weights(model) as f64;
        let chosen = tape.part(delta, share.ceil() as u64);
        Some(tape.scatter(theta, chosen))
    }
}
