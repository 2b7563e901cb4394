//! The Python that does the same.

use super::Lora;
use crate::peft::{Python, Script, python};

impl Python for Lora {
    fn python(&self, script: &Script<'_>) -> String {
        // One A for several matrices would be another method.
        if script.joins(&self.target_modules) {
            return self.written_out(script);
        }
        let rslora = if self.use_rslora { "use_rslora=True" } else { "" };
        let values = [
            ("RANK", self.rank.to_string()),
            ("ALPHA", self.alpha().to_string()),
            ("TARGETS", script.modules(&self.target_modules)),
            ("DROPOUT", self.lora_dropout.to_string()),
            ("**OPTIONS", python::arguments(&[rslora.into(), script.blocks_to_transform(&self.layers)])),
        ];
        python::fill(include_str!("python.py"), &values)
    }

    fn python_without_peft(&self, script: &Script<'_>) -> Option<String> {
        Some(self.written_out(script))
    }

    fn wrapped_first(&self) -> u8 {
        2
    }
}

impl Lora {
    fn written_out(&self, script: &Script<'_>) -> String {
        let values = [
            ("RANK", self.rank.to_string()),
            ("DROPOUT", self.lora_dropout.to_string()),
            ("SCALING", self.scaling().to_string()),
            ("PLACES", script.places(&self.target_modules, &self.layers)),
        ];
        python::fill(include_str!("without_peft.py"), &values)
    }
}
