//! What it costs, as shapes.

use super::Prefix;
use crate::model::{Hook, ModelConfig};
use crate::peft::Cost;
use crate::trace::{Keeps, Tape, Var};

impl Cost for Prefix {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let Hook::Prefix(block, _) = hook else { return None };
        if !self.layers.list(model.num_hidden_layers).contains(&block) {
            return None;
        }
        let (n, d, h, w) =
            (self.num_virtual_tokens, model.key_value_width(), self.encoder_hidden_size, self.width(model));
        let all = if self.prefix_projection {
            tape.shared("prefix", |tape| {
                let embedding = tape.phi("E", (n * d) as u64);
                let inner = tape.layer("first", embedding, n, (d, h));
                let inner = tape.activation(inner, Keeps::Output, 4);
                tape.layer("second", inner, n, (h, w))
            })
        } else {
            tape.phi("prefix", (n * w) as u64)
        };
        Some(tape.part(all, (n * d) as u64))
    }
}
