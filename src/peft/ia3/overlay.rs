//! Its place in the drawing.

use super::Ia3;
use crate::model::Target;
use crate::peft::{Mark, Overlay, Shape};

impl Overlay for Ia3 {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        vec![Mark::Factors { targets: self.target_modules.clone(), blocks: self.layers.clone() }]
    }

    fn shapes(&self, shape: &Shape) -> String {
        let wide = self.target_modules.iter().any(|t| matches!(t, Target::Fc1 | Target::Fc2));
        let ff = if wide { format!(", at the MLP ∈ ℝ^{{{}}}", shape.model.ffn_dim) } else { String::new() };
        format!("l ∈ ℝ^{{{}}}{ff}", shape.model.hidden_size)
    }
}
