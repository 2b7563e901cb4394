//! Its place in the drawing.

use super::Sparse;
use crate::base::grouped;
use crate::peft::{Everywhere, Mark, Method, Overlay, Shape};

impl Overlay for Sparse {
    fn marks(&self, shape: &Shape) -> Vec<Mark> {
        vec![Mark::Everywhere(Everywhere {
            label: "Δ",
            name: "Δ, the change of chosen weights in all matrices",
            shape: format!("{} weights", self.num_weights),
            elements: self.count(shape).total(),
            added: false,
        })]
    }

    fn shapes(&self, shape: &Shape) -> String {
        format!("Δ ∈ ℝ^{{{}}}", grouped(self.count(shape).total()))
    }
}
