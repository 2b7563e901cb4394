//! Its place in the drawing.

use super::{LastLayer, Rows};
use crate::base::grouped;
use crate::peft::{HeadCopy, Mark, Method, Overlay, Shape};

impl Overlay for LastLayer {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        match self.rows {
            Rows::All => vec![Mark::Head(HeadCopy::All)],
            Rows::Labels => vec![Mark::Head(HeadCopy::Labels)],
            Rows::Block => Vec::new(),
        }
    }

    fn shapes(&self, shape: &Shape) -> String {
        let (d, v) = (shape.model.hidden_size, shape.model.vocab_size);
        match self.rows {
            Rows::All => format!("W_head ∈ ℝ^{{{v}×{d}}}"),
            Rows::Labels => format!("{0} rows of W_head ∈ ℝ^{{{0}×{d}}}", shape.labels),
            Rows::Block => format!("θ′ ∈ ℝ^{{{}}} of the last block", grouped(self.count(shape).total())),
        }
    }
}
