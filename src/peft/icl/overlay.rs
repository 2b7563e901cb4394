//! Its place in the drawing.

use super::Icl;
use crate::peft::{Front, Mark, Overlay, Shape};

impl Overlay for Icl {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        let words = Front {
            tokens: None,
            name: "demonstrations",
            shape: format!("{} questions with their answers as words, nothing trained", self.0.shots),
            elements: 0,
        };
        if self.0.shots == 0 { Vec::new() } else { vec![Mark::Front(words)] }
    }

    fn shapes(&self, _shape: &Shape) -> String {
        "nothing is trained".into()
    }
}
