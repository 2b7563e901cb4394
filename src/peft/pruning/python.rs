//! The Python that does the same.

use super::{Pruning, Schedule};
use crate::peft::{Method, Python, Script, python};

impl Python for Pruning {
    fn python(&self, script: &Script<'_>) -> String {
        let when = match self.schedule {
            Schedule::DenseSparseDense => {
                format!("{{max(STEPS // 3, 1): {}, max(2 * STEPS // 3, 2): 0.0}}", self.sparsity as f64 / 100.0)
            }
            Schedule::Iterative => {
                let shares: Vec<f64> = (0..self.rounds).map(|round| self.share(round)).collect();
                format!("{{i * STEPS // {}: share for i, share in enumerate({shares:?})}}", self.rounds)
            }
        };
        let values = [("WHEN", when), ("COUNT", self.count(script.shape).total().to_string())];
        python::fill(include_str!("python.py"), &values)
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}
