//! Its place in the drawing.

use super::{Ia3, width};
use crate::model::Target;
use crate::peft::{Mark, Overlay, Shape, overlay};

impl Overlay for Ia3 {
    fn marks(&self, _shape: &Shape) -> Vec<Mark> {
        vec![Mark::Factors { targets: self.target_modules.clone(), blocks: self.layers.clone() }]
    }

    fn shapes(&self, shape: &Shape) -> String {
        let model = &shape.model;
        let factors = |target: &Target| (target.label(model), width(*target, model));
        overlay::of_vectors("l", self.target_modules.iter().map(factors))
    }
}
