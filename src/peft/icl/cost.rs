//! What it costs, as shapes.

use super::Icl;
use crate::model::{Hook, ModelConfig};
use crate::peft::Cost;
use crate::trace::{Tape, Var};

impl Cost for Icl {
    fn trace(&self, _hook: Hook, _model: &ModelConfig, _tape: &mut Tape) -> Option<Var> {
        None
    }

    fn shown(&self, demonstration: usize, room: usize) -> usize {
        (self.0.shots * demonstration).min(room)
    }
}
