//! Its place in the drawing.

use super::AllButEmbeddings;
use crate::base::grouped;
use crate::peft::{Mark, Method, Overlay, Shape};

impl Overlay for AllButEmbeddings {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        Vec::new()
    }

    fn shapes(&self, shape: &Shape) -> String {
        format!("θ′ ∈ ℝ^{{{}}}", grouped(self.count(shape).total()))
    }
}
