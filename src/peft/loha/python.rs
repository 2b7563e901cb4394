//! The Python that does the same.

use super::Loha;
use crate::peft::{Python, Script, python};

impl Python for Loha {
    fn python(&self, script: &Script<'_>) -> String {
        let values = [
            ("RANK", self.rank.to_string()),
            ("ALPHA", self.alpha().to_string()),
            ("TARGETS", python::modules(&self.target_modules)),
            ("**OPTIONS", script.blocks_to_transform(&self.layers)),
        ];
        python::fill(include_str!("python.py"), &values)
    }

    fn python_without_peft(&self, script: &Script<'_>) -> Option<String> {
        let values = [
            ("RANK", self.rank.to_string()),
            ("SCALING", self.scaling().to_string()),
            ("PATHS", script.paths(&self.target_modules, &self.layers)),
        ];
        Some(python::fill(include_str!("without_peft.py"), &values))
    }

    fn wrapped_first(&self) -> u8 {
        1
    }
}
