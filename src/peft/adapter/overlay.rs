//! Its place in the drawing.

use super::{Adapter, Placement};
use crate::peft::{Bottlenecks, Mark, Overlay, Shape};

impl Overlay for Adapter {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        vec![Mark::Bottlenecks(Bottlenecks {
            width: self.bottleneck,
            at_attention: self.placement.at_attention(),
            at_mlp: self.placement.at_mlp(),
            parallel: self.placement == Placement::Parallel,
            sigma: self.non_linearity.title(),
            blocks: self.layers.clone(),
        })]
    }

    fn shapes(&self, shape: &Shape) -> String {
        let (k, d, sigma) = (self.bottleneck, shape.model.hidden_size, self.non_linearity.title());
        let s = if self.scaling == 1.0 { String::new() } else { format!(", s = {}", self.scaling) };
        format!("W_D ∈ ℝ^{{{k}×{d}}}, W_U ∈ ℝ^{{{d}×{k}}}, σ = {sigma}{s}")
    }
}
