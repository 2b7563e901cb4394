//! Its place in the drawing.

use super::Loha;
use crate::peft::{Mark, Overlay, Shape, Update, overlay};

impl Overlay for Loha {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        vec![Mark::Update(Update {
            method: "LoHa",
            pairs: &[["A_1", "B_1"], ["A_2", "B_2"]],
            rank: self.rank,
            targets: self.target_modules.clone(),
            blocks: self.layers.clone(),
            trained: true,
            bars: &[],
        })]
    }

    fn shapes(&self, shape: &Shape) -> String {
        overlay::of_matrices(&self.target_modules, &shape.model, |i, o| {
            format!("A_1, A_2 ∈ ℝ^{{{0}×{i}}}, B_1, B_2 ∈ ℝ^{{{o}×{0}}}", self.rank)
        })
    }
}
