//! Its place in the drawing.

use super::LnTuning;
use crate::model::NormKind;
use crate::peft::{Mark, Overlay, Shape, overlay};

impl Overlay for LnTuning {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        Vec::new()
    }

    fn shapes(&self, shape: &Shape) -> String {
        let model = &shape.model;
        let letters = match model.norm.kind {
            NormKind::Layer => "γ, β",
            NormKind::Root => "γ",
        };
        let of_heads = model.normed_heads.then_some(("queries and keys", model.head_dim));
        overlay::of_vectors(letters, [("blocks", model.hidden_size)].into_iter().chain(of_heads))
    }
}
