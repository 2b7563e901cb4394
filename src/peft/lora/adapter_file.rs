//! Its file in PEFT.

use super::{Lora, fused};
use crate::base::Fault;
use crate::model::ModelConfig;
use crate::model::files::{Reader, Writer};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Method, Shape, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Lora {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        let json = json!({"peft_type": "LORA", "r": self.rank, "lora_alpha": self.alpha(), "lora_dropout": self.lora_dropout,
            "target_modules": adapter_file::modules(&self.target_modules),
            "layers_to_transform": adapter_file::blocks_to_transform(&self.layers, model), "layers_pattern": null,
            "use_rslora": self.use_rslora, "use_dora": false, "bias": "none", "fan_in_fan_out": false, "init_lora_weights": true,
            "rank_pattern": {}, "alpha_pattern": {}});
        Ok(if model.family().joins_matrices() { fused::keys(self, model, json) } else { json })
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        if !settings.is("LORA") {
            return None;
        }
        if settings.model.family().joins_matrices() {
            return Some(fused::read_settings(settings));
        }
        let read = || {
            settings.check_neutral(&[])?;
            Ok(Lora {
                rank: settings.integer("r")?,
                alpha: Some(settings.number("lora_alpha")?),
                target_modules: settings.targets()?,
                layers: settings.blocks()?,
                use_rslora: settings.flag("use_rslora"),
                lora_dropout: settings.value("lora_dropout").as_f64().unwrap_or(0.0).clamp(0.0, 0.9),
            })
        };
        (!settings.flag("use_dora")).then(read)
    }

    /// Of fused matrices a rank may be the sum of several.
    fn check_read(&self, shape: &Shape) -> Result<(), Fault> {
        if shape.model.family().joins_matrices() { self.layers.check(shape) } else { self.check(shape, 0) }
    }

    fn write(&self, writer: &mut Writer, shape: &Shape, values: &[Vec<f32>]) {
        match shape.model.family().joins_matrices() {
            true => fused::write(writer, self, &shape.model, values),
            false => adapter_file::write_tensors(self, writer, shape, values),
        }
    }

    fn read(
        &self,
        settings: &AdapterSettings<'_>,
        reader: &mut Reader<'_>,
        shape: &Shape,
    ) -> Result<Vec<Vec<f32>>, AdapterError> {
        match shape.model.family().joins_matrices() {
            true => fused::read(self, settings, reader, shape),
            false => adapter_file::read_tensors(self, reader, shape),
        }
    }
}
