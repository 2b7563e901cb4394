//! Its place in the drawing.

use super::Subspace;
use crate::base::grouped;
use crate::peft::{Everywhere, Mark, Method, Overlay, Shape};

impl Overlay for Subspace {
    fn marks(&self, shape: &Shape) -> Vec<Mark> {
        vec![Mark::Everywhere(Everywhere {
            label: "φ",
            name: "φ, which moves every tensor through P",
            shape: format!("{} dimensions", self.intrinsic_dimension),
            elements: self.count(shape).total(),
            added: false,
        })]
    }

    fn shapes(&self, shape: &Shape) -> String {
        format!("φ ∈ ℝ^{{{}}}, D = {}", self.intrinsic_dimension, grouped(shape.model.parameters()))
    }
}
