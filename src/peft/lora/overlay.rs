//! Its place in the drawing.

use super::Lora;
use crate::peft::{Mark, Overlay, Shape, Update, overlay};

impl Overlay for Lora {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        vec![Mark::Update(Update {
            method: "LoRA",
            pairs: &[["A", "B"]],
            rank: self.rank,
            targets: self.target_modules.clone(),
            blocks: self.layers.clone(),
            trained: true,
            bars: &[],
        })]
    }

    fn shapes(&self, shape: &Shape) -> String {
        overlay::of_matrices(&self.target_modules, &shape.model, |i, o| {
            format!("A ∈ ℝ^{{{0}×{i}}}, B ∈ ℝ^{{{o}×{0}}}", self.rank)
        })
    }
}
