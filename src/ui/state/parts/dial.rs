//! λ of θ ⊕ λφ.

use crate::protocol::Prediction;
use std::rc::Rc;

/// λ of θ ⊕ λφ for one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dial {
    pub(in crate::ui::state) run: u32,
    pub(in crate::ui::state) lambda: Option<f64>,
    pub(in crate::ui::state) waiting: bool,
    /// (λ, accuracy) wherever it has been, in the order of λ.
    pub points: Vec<(f64, f64)>,
    /// What was measured last: λ, loss, accuracy, n.
    pub measured: Option<(f64, f64, f64, usize)>,
    pub(in crate::ui::state) items: Rc<Vec<Prediction>>,
}

impl Dial {
    pub fn lambda(&self) -> f64 {
        self.lambda.unwrap_or(1.0)
    }
}
