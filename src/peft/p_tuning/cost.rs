//! What it costs, as shapes.

use super::PTuning;
use crate::model::{Hook, ModelConfig};
use crate::peft::Cost;
use crate::trace::{Tape, Var};

impl Cost for PTuning {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        matches!(hook, Hook::Prompt).then(|| {
            let (n, d, h) = (self.num_virtual_tokens, model.hidden_size, self.encoder_hidden_size);
            let embedding = tape.phi("E", (n * d) as u64);
            let x = tape.layer("first", embedding, n, (d, h));
            let x = tape.relu(x);
            let x = tape.layer("second", x, n, (h, h));
            let x = tape.relu(x);
            tape.layer("third", x, n, (h, d))
        })
    }

    fn read_with_the_text(&self) -> bool {
        true
    }
}
