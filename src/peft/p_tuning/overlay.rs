//! Its place in the drawing.

use super::PTuning;
use crate::peft::{Front, Mark, Method, Overlay, Shape};

impl Overlay for PTuning {
    fn marks(&self, shape: &Shape) -> Vec<Mark> {
        let (n, d, h) = (self.num_virtual_tokens, shape.model.hidden_size, self.encoder_hidden_size);
        vec![Mark::Front(Front {
            tokens: Some(n),
            name: "φ, virtual tokens out of an MLP",
            shape: format!("E {n} × {d} and an MLP {d} → {h} → {h} → {d}"),
            elements: self.count(shape).total(),
        })]
    }

    fn shapes(&self, shape: &Shape) -> String {
        let (n, d, h) = (self.num_virtual_tokens, shape.model.hidden_size, self.encoder_hidden_size);
        format!("E ∈ ℝ^{{{n}×{d}}}, MLP {d} → {h} → {h} → {d}")
    }
}
