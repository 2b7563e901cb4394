//! The Python that does the same.

use super::Lora;
use crate::peft::{Python, Script, python};

impl Python for Lora {
    fn python(&self, script: &Script<'_>) -> String {
        let rslora = if self.use_rslora { "use_rslora=True" } else { "" };
        let values = [
            ("RANK", self.rank.to_string()),
            ("ALPHA", self.alpha().to_string()),
            ("TARGETS", python::modules(&self.target_modules)),
            ("DROPOUT", self.lora_dropout.to_string()),
            ("**OPTIONS", python::arguments(&[rslora.into(), script.blocks_to_transform(&self.layers)])),
        ];
        python::fill(include_str!("python.py"), &values)
    }

    fn python_without_peft(&self, script: &Script<'_>) -> Option<String> {
        let values = [
            ("RANK", self.rank.to_string()),
            ("DROPOUT", self.lora_dropout.to_string()),
            ("SCALING", self.scaling().to_string()),
            ("PATHS", script.paths(&self.target_modules, &self.layers)),
        ];
        Some(python::fill(include_str!("without_peft.py"), &values))
    }

    fn wrapped_first(&self) -> u8 {
        2
    }
}
