//! Its place in the drawing.

use super::Pruning;
use crate::base::grouped;
use crate::peft::{Mark, Method, Overlay, Shape};

impl Overlay for Pruning {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        Vec::new()
    }

    fn shapes(&self, shape: &Shape) -> String {
        format!("θ′ ∈ ℝ^{{{}}}", grouped(self.count(shape).total()))
    }
}
