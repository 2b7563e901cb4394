//! What it costs, as shapes.

use super::TextPrompt;
use crate::model::{Hook, ModelConfig};
use crate::peft::Cost;
use crate::trace::{Tape, Var};

impl Cost for TextPrompt {
    fn trace(&self, _hook: Hook, _model: &ModelConfig, _tape: &mut Tape) -> Option<Var> {
        None
    }

    fn shown(&self, _demonstration: usize, room: usize) -> usize {
        self.text.len().min(room)
    }
}
