//! Its file in PEFT.

use super::LnTuning;
use crate::model::ModelConfig;
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for LnTuning {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        adapter_file::refuse_fused(self, model)?;
        Ok(json!({"peft_type": "LN_TUNING", "target_modules": model.family().norms()}))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_neutral(&[])?;
            let named = settings.names("target_modules")?;
            let all = settings.model.family().norms();
            match all.iter().all(|norm| named.iter().any(|n| n == norm)) && named.len() == all.len() {
                true => Ok(LnTuning),
                false => {
                    let expected = format!("{} together", all.join(" and "));
                    Err(AdapterError::unsupported("target_modules", &json!(named), &expected))
                }
            }
        };
        settings.is("LN_TUNING").then(read)
    }
}
