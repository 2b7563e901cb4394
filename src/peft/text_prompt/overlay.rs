//! Its place in the drawing.

use super::TextPrompt;
use crate::peft::{Front, Mark, Overlay, Shape};

impl Overlay for TextPrompt {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        let words =
            Front { tokens: None, name: "the prompt's tokens", shape: "words, nothing trained".into(), elements: 0 };
        if self.text.is_empty() { Vec::new() } else { vec![Mark::Front(words)] }
    }

    fn shapes(&self, _shape: &Shape) -> String {
        "nothing is trained".into()
    }
}
