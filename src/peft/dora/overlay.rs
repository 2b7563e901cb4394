//! Its place in the drawing.

use super::Dora;
use crate::peft::{Bar, Beside, Mark, Overlay, Shape, Update, overlay};

impl Overlay for Dora {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        vec![Mark::Update(Update {
            method: "DoRA",
            pairs: &[["A", "B"]],
            rank: self.rank,
            targets: self.target_modules.clone(),
            blocks: self.layers.clone(),
            trained: true,
            bars: &[Bar { letter: "m", name: "lengths m", beside: Beside::Both }],
        })]
    }

    fn shapes(&self, shape: &Shape) -> String {
        overlay::of_matrices(&self.target_modules, &shape.model, |i, o| {
            format!("A ∈ ℝ^{{{0}×{i}}}, B ∈ ℝ^{{{o}×{0}}}, m ∈ ℝ^{{{o}}}", self.rank)
        })
    }
}
