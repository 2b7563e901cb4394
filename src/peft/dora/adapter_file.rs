//! Its file in PEFT.

use super::Dora;
use crate::model::ModelConfig;
use crate::model::files::Reader;
use crate::peft::adapter_file::{LowRank, Values};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Shape, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Dora {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        adapter_file::refuse_fused(self, model)?;
        Ok(json!({"peft_type": "LORA", "r": self.rank, "lora_alpha": self.alpha(), "lora_dropout": 0.0,
            "target_modules": adapter_file::modules(&self.target_modules, model),
            "layers_to_transform": adapter_file::blocks_to_transform(&self.layers, model), "layers_pattern": null,
            "use_rslora": false, "use_dora": true, "bias": "none", "fan_in_fan_out": false, "init_lora_weights": true,
            "rank_pattern": {}, "alpha_pattern": {}}))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_keys()?;
            let LowRank { rank, alpha, root, places, .. } = updates(settings)?;
            // α/√r is α·√r/r.
            let alpha = if root { alpha * (rank as f64).sqrt() } else { alpha };
            Ok(Dora { rank, alpha: Some(alpha), target_modules: places.targets, layers: places.blocks })
        };
        (settings.is("LORA") && settings.flag("use_dora")).then(read)
    }

    fn read(
        &self,
        settings: &AdapterSettings<'_>,
        reader: &mut Reader<'_>,
        shape: &Shape,
    ) -> Result<Values, AdapterError> {
        let updates = updates(settings)?;
        let mut values = Values::new();
        for part in updates.places.parts(&shape.model) {
            match part {
                Some(part) => {
                    values.extend(updates.pair(&part, [A, "lora_B.weight"], reader, &shape.model)?.map(Some));
                    let lengths = reader.floats(&part.key(&shape.model, "lora_magnitude_vector"), &[part.outputs()])?;
                    values.push(Some(part.rows(&lengths, 1)));
                }
                // Without an update the lengths are θ's own.
                None => values.extend([None, None, None]),
            }
        }
        Ok(values)
    }
}

const A: &str = "lora_A.weight";

fn updates(settings: &AdapterSettings<'_>) -> Result<LowRank, AdapterError> {
    settings.low_rank(A, "lora_alpha", settings.flag("use_rslora"))
}
