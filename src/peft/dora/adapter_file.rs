//! Its file in PEFT.

use super::Dora;
use crate::model::ModelConfig;
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Dora {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        adapter_file::refuse_fused(self, model)?;
        Ok(json!({"peft_type": "LORA", "r": self.rank, "lora_alpha": self.alpha(), "lora_dropout": 0.0,
            "target_modules": adapter_file::modules(&self.target_modules),
            "layers_to_transform": adapter_file::blocks_to_transform(&self.layers, model), "layers_pattern": null,
            "use_rslora": false, "use_dora": true, "bias": "none", "fan_in_fan_out": false, "init_lora_weights": true,
            "rank_pattern": {}, "alpha_pattern": {}}))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_neutral(&[])?;
            let dora = Dora {
                rank: settings.integer("r")?,
                alpha: Some(settings.number("lora_alpha")?),
                target_modules: settings.targets()?,
                layers: settings.blocks()?,
            };
            match settings.flag("use_rslora") {
                true => {
                    Err(AdapterError::unsupported("use_rslora", &Value::Bool(true), "false together with use_dora"))
                }
                false => Ok(dora),
            }
        };
        (settings.is("LORA") && settings.flag("use_dora") && !settings.model.family().joins_matrices()).then(read)
    }
}
