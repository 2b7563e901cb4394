//! Its file in PEFT.

use super::Loha;
use crate::model::ModelConfig;
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Loha {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        adapter_file::refuse_fused(self, model)?;
        Ok(json!({"peft_type": "LOHA", "r": self.rank, "alpha": self.alpha(), "rank_dropout": 0.0,
            "module_dropout": 0.0, "use_effective_conv2d": false,
            "target_modules": adapter_file::modules(&self.target_modules),
            "layers_to_transform": adapter_file::blocks_to_transform(&self.layers, model), "layers_pattern": null,
            "init_weights": true, "rank_pattern": {}, "alpha_pattern": {}}))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_neutral(&[])?;
            Ok(Loha {
                rank: settings.integer("r")?,
                alpha: Some(settings.number("alpha")?),
                target_modules: settings.targets()?,
                layers: settings.blocks()?,
            })
        };
        settings.is("LOHA").then(read)
    }
}
