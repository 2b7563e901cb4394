//! The Python that does the same.

use super::Loha;
use crate::peft::{Python, Script, python};

impl Python for Loha {
    fn python(&self, script: &Script<'_>) -> String {
        // peft has it for `Linear` alone, and one pair of factors for several matrices would be another method.
        if script.joins(&self.target_modules) || script.family().fan_in_fan_out {
            return self.written_out(script);
        }
        let values = [
            ("RANK", self.rank.to_string()),
            ("ALPHA", self.alpha().to_string()),
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

impl Loha {
    fn written_out(&self, script: &Script<'_>) -> String {
        let values = [
            ("RANK", self.rank.to_string()),
            ("SCALING", self.scaling().to_string()),
            ("PLACES", script.places(&self.target_modules, &self.layers)),
        ];
        python::fill(include_str!("without_peft.py"), &values)
    }
}
