//! The Python that does the same.

use super::Vera;
use crate::peft::{Python, Script, python};

impl Python for Vera {
    fn python(&self, script: &Script<'_>) -> String {
        // One d for several matrices would be another method.
        if script.joins(&self.target_modules) {
            return self.written_out(script);
        }
        let values = [
            ("RANK", self.rank.to_string()),
            ("TARGETS", script.modules(&self.target_modules)),
            ("**OPTIONS", script.blocks_to_transform(&self.layers)),
        ];
        python::fill(include_str!("python.py"), &values)
    }

    fn python_without_peft(&self, script: &Script<'_>) -> Option<String> {
        Some(self.written_out(script))
    }

    fn wrapped_first(&self) -> u8 {
        1
    }
}

impl Vera {
    fn written_out(&self, script: &Script<'_>) -> String {
        let (inputs, outputs) = self.shared(script.model());
        let values = [
            ("RANK", self.rank.to_string()),
            ("INPUTS", inputs.to_string()),
            ("OUTPUTS", outputs.to_string()),
            ("PLACES", script.places(&self.target_modules, &self.layers)),
        ];
        python::fill(include_str!("without_peft.py"), &values)
    }
}
