//! What it costs, as shapes.

use super::{LastLayer, Rows};
use crate::model::{Hook, ModelConfig};
use crate::peft::{Cost, whole_tensors};
use crate::trace::{Tape, Var};

impl Cost for LastLayer {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        match (hook, self.rows) {
            (Hook::Head(table), Rows::All) => Some(tape.copy_beside("head", table)),
            // The number of labels is a task's; what counts is the head, which is made anew.
            (Hook::Head(table), Rows::Labels) => {
                let rows = (tape.labels() * model.hidden_size) as u64;
                let rows = tape.phi("rows", rows);
                Some(tape.scatter(table, rows))
            }
            (_, Rows::Block) => whole_tensors::trace(self, hook, model, tape),
            _ => None,
        }
    }
}
