//! λ of θ ⊕ λφ.

use crate::protocol::Prediction;
use std::rc::Rc;

/// λ of θ ⊕ λφ for one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dial {
    /// The run whose φ is scaled.
    pub(in crate::ui::state) run: u32,
    /// `None` until it has been turned.
    pub(in crate::ui::state) lambda: Option<f64>,
    /// A measurement is on its way.
    pub(in crate::ui::state) waiting: bool,
    /// (λ, accuracy) wherever it has been, in the order of λ.
    pub points: Vec<(f64, f64)>,
    /// What was measured last: λ, loss, accuracy, n.
    pub measured: Option<(f64, f64, f64, usize)>,
    /// Answers to the examples at the λ measured last.
    pub(in crate::ui::state) items: Rc<Vec<Prediction>>,
}

impl Dial {
    /// Where it stands: at 1, a run's own φ, until it is turned.
    pub fn lambda(&self) -> f64 {
        self.lambda.unwrap_or(1.0)
    }
}
