//! Its file in PEFT.

use super::Loha;
use crate::model::ModelConfig;
use crate::model::files::{Reader, Writer};
use crate::peft::adapter_file::{LowRank, Values, joined};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Shape, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Loha {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        let family = model.family();
        // PEFT wraps no `Conv1D` there.
        if family.fan_in_fan_out {
            let message = format!("PEFT has no LoHa for {}'s modules: save the run.", family.title);
            return Err(AdapterError::NotInPeft(message));
        }
        let json = json!({"peft_type": "LOHA", "r": self.rank, "alpha": self.alpha(), "rank_dropout": 0.0,
            "module_dropout": 0.0, "use_effective_conv2d": false,
            "target_modules": adapter_file::modules(&self.target_modules, model),
            "layers_to_transform": adapter_file::blocks_to_transform(&self.layers, model), "layers_pattern": null,
            "init_weights": true, "rank_pattern": {}, "alpha_pattern": {}});
        if !family.joins_matrices() {
            return Ok(json);
        }
        let widest = joined::modules(&self.target_modules, &self.layers, model).iter().map(|m| m.parts.len()).max();
        let (together, width) = (widest.unwrap_or(1) * self.rank, model.hidden_size);
        if together > width {
            let message = format!(
                "In {}'s layout W_Q, W_K, W_V are one matrix, on which these updates are one of rank {together}, more than the width {width}: save the run.",
                family.title
            );
            return Err(AdapterError::NotInPeft(message));
        }
        Ok(joined::keys(&self.target_modules, (self.rank, self.alpha(), false), "alpha", model, json))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_keys()?;
            let LowRank { rank, alpha, places, .. } = updates(settings)?;
            Ok(Loha { rank, alpha: Some(alpha), target_modules: places.targets, layers: places.blocks })
        };
        settings.is("LOHA").then(read)
    }

    fn write(&self, writer: &mut Writer, shape: &Shape, values: &[Vec<f32>]) {
        if !shape.model.family().joins_matrices() {
            return adapter_file::write_tensors(self, writer, shape, values);
        }
        for module in joined::modules(&self.target_modules, &self.layers, &shape.model) {
            for pair in [0, 1] {
                let b = module.b(self.rank, |at| &values[4 * at + 2 * pair]);
                let a = module.a(self.rank, |at| &values[4 * at + 2 * pair + 1]);
                for (side, (shape, values)) in [('a', b), ('b', a)] {
                    writer.push_floats(module.key(&format!("hada_w{}_{side}", pair + 1)), &shape, &values);
                }
            }
        }
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
