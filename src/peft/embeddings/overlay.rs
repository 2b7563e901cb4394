//! Its place in the drawing.

use super::{Embeddings, Tables};
use crate::peft::{Mark, Overlay, Shape};

impl Overlay for Embeddings {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        Vec::new()
    }

    fn shapes(&self, shape: &Shape) -> String {
        let d = shape.model.hidden_size;
        let tokens = format!("E ∈ ℝ^{{{}×{d}}}", shape.model.vocab_size);
        let positions = format!("P ∈ ℝ^{{{}×{d}}}", shape.model.position_rows());
        match self.on(&shape.model) {
            Tables::Tokens => tokens,
            Tables::Positions => positions,
            Tables::Both => format!("{tokens}, {positions}"),
        }
    }
}
