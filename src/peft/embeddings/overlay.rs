//! Its place in the drawing.

use super::Embeddings;
use crate::peft::{Mark, Overlay, Shape};

impl Overlay for Embeddings {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        Vec::new()
    }

    fn shapes(&self, shape: &Shape) -> String {
        format!("E ∈ ℝ^{{{}×{}}}", shape.model.vocab_size, shape.model.hidden_size)
    }
}
