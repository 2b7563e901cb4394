//! Its place in the drawing.

use super::Prefix;
use crate::peft::{Everywhere, Mark, Overlay, PrefixMark, Shape, factors};

impl Overlay for Prefix {
    fn marks(&self, shape: &Shape) -> Vec<Mark> {
        let tokens = self.num_virtual_tokens;
        let [n, d, h] = factors([tokens, shape.model.key_value_width(), self.encoder_hidden_size]);
        let (shape, elements) = match self.prefix_projection {
            false => (format!("{n} × {d}"), n * d),
            true => (format!("{n} × {d}, of W₂ and its bias {h} × {d} + {d}"), (h + 1) * d),
        };
        let mut marks = vec![Mark::Prefix(PrefixMark { tokens, shape, elements, blocks: self.layers.clone() })];
        if self.prefix_projection {
            marks.push(Mark::Everywhere(Everywhere {
                label: "E, W_1",
                name: "E and W₁ of the MLP that writes the prefix",
                shape: format!("E {n} × {d}, W₁ {h} × {d} and bias {h}"),
                elements: n * d + d * h + h,
                added: true,
            }));
        }
        marks
    }

    fn shapes(&self, shape: &Shape) -> String {
        let blocks = if self.layers.is_all() { "each block".into() } else { format!("blocks {}", self.layers) };
        format!("φ_K, φ_V ∈ ℝ^{{{}×{}}} in {blocks}", self.num_virtual_tokens, shape.model.key_value_width())
    }
}
