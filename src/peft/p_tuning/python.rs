//! The Python that does the same.

use super::PTuning;
use crate::peft::{Python, Script, python};

impl Python for PTuning {
    fn python(&self, _script: &Script<'_>) -> String {
        let values =
            [("LENGTH", self.num_virtual_tokens.to_string()), ("HIDDEN", self.encoder_hidden_size.to_string())];
        python::fill(include_str!("python.py"), &values)
    }

    fn python_without_peft(&self, script: &Script<'_>) -> Option<String> {
        let values = [
            ("LENGTH", self.num_virtual_tokens.to_string()),
            ("WIDTH", script.model().hidden_size.to_string()),
            ("HIDDEN", self.encoder_hidden_size.to_string()),
        ];
        Some(python::fill(include_str!("without_peft.py"), &values) + python::VECTORS_IN_FRONT)
    }
}
