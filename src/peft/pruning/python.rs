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
        let values = [
            ("LIST", script.family().blocks.to_string()),
            ("EACH", each_matrix(script)),
            ("WHEN", when),
            ("COUNT", self.count(script.shape).total().to_string()),
        ];
        python::fill(include_str!("python.py"), &values)
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}

/// A parameter as the matrices in it, which share its memory: each is pruned by itself.
fn each_matrix(script: &Script<'_>) -> String {
    let rows = if script.family().fan_in_fan_out { "p.T" } else { "p" };
    let shared = script.family().modules.iter().find(|module| module.holds.len() > 1).map(|module| {
        let (turns, of) = (module.turns(script.model()), module.holds.len());
        format!("{rows}.unflatten(0, ({turns}, {of}, -1)).unbind(1) if \"{}\" in name else [p]", module.peft)
    });
    // Several matrices in a parameter lie in its outputs.
    shared.unwrap_or_else(|| "[p]".into())
}
