//! Its place in the drawing.

use super::BitFit;
use crate::model::{ModulePath, ParamKind};
use crate::peft::{Mark, Overlay, Shape, overlay};

impl Overlay for BitFit {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        Vec::new()
    }

    fn shapes(&self, shape: &Shape) -> String {
        let model = &shape.model;
        let bias = |place: ModulePath| place.elements(ParamKind::Bias, model) as usize;
        let layers = self.targets.iter().map(|target| (target.label(model), bias(ModulePath::Linear(0, *target))));
        let norms = self.norms.then(|| ("norms", bias(ModulePath::AttentionNorm(0))));
        overlay::of_vectors("b", layers.chain(norms).filter(|(_, width)| *width > 0))
    }
}
