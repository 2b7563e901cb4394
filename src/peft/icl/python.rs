//! The Python that does the same.

use super::Icl;
use crate::peft::{DemonstrationLabels, Python, Script, python};

impl Python for Icl {
    fn python(&self, _script: &Script<'_>) -> String {
        let label = match self.0.labels {
            DemonstrationLabels::True => "t[-n:]",
            DemonstrationLabels::Random => "any_answer(n)",
        };
        let values = [("LABEL", label.into()), ("SHOTS", self.0.shots.to_string())];
        python::fill(include_str!("python.py"), &values) + python::TOKENS_IN_FRONT
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}
