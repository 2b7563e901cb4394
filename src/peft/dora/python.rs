//! The Python that does the same.

use super::Dora;
use crate::peft::{Python, Script, python};

impl Python for Dora {
    fn python(&self, script: &Script<'_>) -> String {
        // One A for several matrices would be another method.
        if script.joins(&self.target_modules) {
            let values = [
                ("RANK", self.rank.to_string()),
                ("SCALING", self.scaling().to_string()),
                ("PLACES", script.places(&self.target_modules, &self.layers)),
            ];
            return python::fill(include_str!("without_peft.py"), &values);
        }
        let values = [
            ("RANK", self.rank.to_string()),
            ("ALPHA", self.alpha().to_string()),
            ("TARGETS", script.modules(&self.target_modules)),
            ("**OPTIONS", script.blocks_to_transform(&self.layers)),
        ];
        python::fill(include_str!("python.py"), &values)
    }

    /// Of several methods that peft has it is the one that is wrapped.
    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }

    fn wrapped_first(&self) -> u8 {
        3
    }
}
