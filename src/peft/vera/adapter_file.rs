//! Its file in PEFT.

use super::Vera;
use crate::model::ModelConfig;
use crate::model::files::Reader;
use crate::peft::adapter_file::{Places, Values};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Shape, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Vera {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        let family = model.family();
        let mut modules = self.target_modules.iter().filter_map(|target| family.module(*target));
        if let Some(module) = modules.find(|module| module.holds.len() > 1) {
            let message = format!(
                "PEFT's VeRA has one d and rows of B of its own for all of {}, which holds several matrices here: choose among the other modules, or save the run.",
                module.peft
            );
            return Err(AdapterError::NotInPeft(message));
        }
        Ok(
            json!({"peft_type": "VERA", "r": self.rank, "target_modules": adapter_file::modules(&self.target_modules, model),
            "layers_to_transform": adapter_file::blocks_to_transform(&self.layers, model), "layers_pattern": null,
            "projection_prng_key": 0, "save_projection": true, "d_initial": 0.1, "vera_dropout": 0.0, "bias": "none",
            "fan_in_fan_out": false, "init_weights": true}),
        )
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_keys()?;
            let Places { targets, blocks, .. } = places(settings)?;
            Ok(Vera { rank: settings.integer_or("r", 256)?, target_modules: targets, layers: blocks })
        };
        settings.is("VERA").then(read)
    }

    fn read(
        &self,
        settings: &AdapterSettings<'_>,
        reader: &mut Reader<'_>,
        shape: &Shape,
    ) -> Result<Values, AdapterError> {
        let mut values = Values::new();
        for part in places(settings)?.parts(&shape.model) {
            // Where nobody trained them the lengths b start at zero, and nothing is added.
            let Some(part) = part else {
                values.extend([None, None]);
                continue;
            };
            let mut tensor = |name: &str, n: usize| reader.floats(&part.key(&shape.model, name), &[n]);
            values.push(Some(tensor(LENGTHS, part.shape.1)?));
            values.push(Some(tensor("vera_lambda_d", self.rank)?));
        }
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

const LENGTHS: &str = "vera_lambda_b";

/// The modules. One that holds several matrices reads other rows of B for each of them, which this lab does not.
fn places(settings: &AdapterSettings<'_>) -> Result<Places, AdapterError> {
    let places = settings.places(LENGTHS)?;
    match places.list.iter().find(|(_, module)| module.holds.len() > 1) {
        Some((_, module)) => {
            let why = format!("{} holds several matrices, each of which would need rows of B of its own", module.path);
            let found = settings.value("target_modules");
            Err(AdapterError::refused("target_modules", found, &why, adapter_file::merge_it()))
        }
        None => Ok(places),
    }
}
