//! Its place in the drawing.

use super::LnTuning;
use crate::peft::{Mark, Overlay, Shape};

impl Overlay for LnTuning {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        Vec::new()
    }

    fn shapes(&self, shape: &Shape) -> String {
        format!("γ, β ∈ ℝ^{{{}}}", shape.model.hidden_size)
    }
}
