//! Its file in PEFT.

use super::Loha;
use crate::model::ModelConfig;
use crate::model::files::Reader;
use crate::peft::adapter_file::{LowRank, Values};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Shape, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Loha {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        adapter_file::refuse_fused(self, model)?;
        Ok(json!({"peft_type": "LOHA", "r": self.rank, "alpha": self.alpha(), "rank_dropout": 0.0,
            "module_dropout": 0.0, "use_effective_conv2d": false,
            "target_modules": adapter_file::modules(&self.target_modules, model),
            "layers_to_transform": adapter_file::blocks_to_transform(&self.layers, model), "layers_pattern": null,
            "init_weights": true, "rank_pattern": {}, "alpha_pattern": {}}))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_keys()?;
            let LowRank { rank, alpha, places, .. } = updates(settings)?;
            Ok(Loha { rank, alpha: Some(alpha), target_modules: places.targets, layers: places.blocks })
        };
        settings.is("LOHA").then(read)
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
            let Some(part) = part else {
                // The second pair's A starts at zero.
                values.extend([None, None, None, None]);
                continue;
            };
            let (r, (inputs, _)) = (updates.rank_of(&part), part.shape);
            for (pair, factor) in [(1, updates.factor_of(&part)), (2, 1.0)] {
                let tensor = |side: char| part.key(&shape.model, &format!("hada_w{pair}_{side}"));
                let b = reader.floats(&tensor('a'), &[part.outputs(), r])?;
                let a = reader.floats(&tensor('b'), &[r, inputs])?;
                values.extend([Some(updates.b(&part, &b, factor)), Some(updates.a(&part, &a))]);
            }
        }
        Ok(values)
    }
}

fn updates(settings: &AdapterSettings<'_>) -> Result<LowRank, AdapterError> {
    let updates = settings.low_rank("hada_w1_b", "alpha", false)?;
    match updates.above_width() {
        Some(fault) => Err(AdapterError::Fault(fault)),
        None => Ok(updates),
    }
}
