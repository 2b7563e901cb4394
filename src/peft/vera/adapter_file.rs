//! Its file in PEFT.

use super::Vera;
use crate::model::ModelConfig;
use crate::model::files::Reader;
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Shape, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Vera {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        adapter_file::refuse_fused(self, model)?;
        Ok(json!({"peft_type": "VERA", "r": self.rank, "target_modules": adapter_file::modules(&self.target_modules),
            "layers_to_transform": adapter_file::blocks_to_transform(&self.layers, model), "layers_pattern": null,
            "projection_prng_key": 0, "save_projection": true, "d_initial": 0.1, "vera_dropout": 0.0, "bias": "none",
            "fan_in_fan_out": false, "init_weights": true}))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_neutral(&[])?;
            Ok(Vera { rank: settings.integer("r")?, target_modules: settings.targets()?, layers: settings.blocks()? })
        };
        settings.is("VERA").then(read)
    }

    fn read(
        &self,
        _settings: &AdapterSettings<'_>,
        reader: &mut Reader<'_>,
        shape: &Shape,
    ) -> Result<Vec<Vec<f32>>, AdapterError> {
        let values = adapter_file::read_tensors(self, reader, shape)?;
        if !reader.has(adapter_file::SHARED_PAIR[0]) {
            return Err(AdapterError::unsupported(
                "save_projection",
                &Value::Bool(false),
                "true: without A and B in the file only PyTorch's generator could draw them again",
            ));
        }
        Ok(values)
    }
}
