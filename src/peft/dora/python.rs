//! The Python that does the same.

use super::Dora;
use crate::peft::{Python, Script, python};

impl Python for Dora {
    fn python(&self, script: &Script<'_>) -> String {
        let values = [
            ("RANK", self.rank.to_string()),
            ("ALPHA", self.alpha().to_string()),
            ("TARGETS", python::modules(&self.target_modules)),
            ("**OPTIONS", script.blocks_to_transform(&self.layers)),
        ];
        python::fill(include_str!("python.py"), &values)
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }

    fn wrapped_first(&self) -> u8 {
        3
    }
}
