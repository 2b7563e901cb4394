//! What it costs, as shapes.

use super::Prompt;
use crate::model::{Hook, ModelConfig};
use crate::peft::Cost;
use crate::trace::{Tape, Var};

impl Cost for Prompt {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        matches!(hook, Hook::Prompt).then(|| tape.phi("prompt", (self.num_virtual_tokens * model.hidden_size) as u64))
    }

    fn read_with_the_text(&self) -> bool {
        true
    }
}
