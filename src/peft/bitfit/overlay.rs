//! Its place in the drawing.

use super::BitFit;
use crate::peft::{Mark, Overlay, Shape};

impl Overlay for BitFit {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        Vec::new()
    }

    fn shapes(&self, shape: &Shape) -> String {
        let model = &shape.model;
        let wide = if model.gated { "gate and up" } else { "fc1" };
        format!("b ∈ ℝ^{{{}}}, at {wide} ∈ ℝ^{{{}}}", model.hidden_size, model.ffn_dim)
    }
}
