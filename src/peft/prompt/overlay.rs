//! Its place in the drawing.

use super::Prompt;
use crate::peft::{Front, Mark, Method, Overlay, Shape};

impl Overlay for Prompt {
    fn marks(&self, shape: &Shape) -> Vec<Mark> {
        let (n, d) = (self.num_virtual_tokens, shape.model.hidden_size);
        vec![Mark::Front(Front {
            tokens: Some(n),
            name: "φ, virtual tokens in front of the text",
            shape: format!("{n} × {d}"),
            elements: self.count(shape).total(),
        })]
    }

    fn shapes(&self, shape: &Shape) -> String {
        format!("φ ∈ ℝ^{{{}×{}}}", self.num_virtual_tokens, shape.model.hidden_size)
    }
}
