//! Its place in the drawing.

use super::Vera;
use crate::peft::{Bar, Beside, Mark, Overlay, Shape, Update, overlay};

impl Overlay for Vera {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        vec![Mark::Update(Update {
            method: "VeRA",
            pairs: &[["A", "B"]],
            rank: self.rank,
            targets: self.target_modules.clone(),
            blocks: self.layers.clone(),
            trained: false,
            bars: &[
                Bar { letter: "d", name: "scales d", beside: Beside::A },
                Bar { letter: "b", name: "scales b", beside: Beside::B },
            ],
        })]
    }

    fn shapes(&self, shape: &Shape) -> String {
        overlay::of_matrices(&self.target_modules, &shape.model, |_, o| {
            format!("Λ_d ∈ ℝ^{{{}}}, Λ_b ∈ ℝ^{{{o}}}", self.rank)
        })
    }
}
