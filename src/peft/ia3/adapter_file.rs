//! Its file in PEFT.

use super::Ia3;
use crate::model::files::{Reader, Writer};
use crate::model::{LinearModule, ModelConfig, ModulePath, Target};
use crate::peft::adapter_file::{Places, Values, joined};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Shape, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Ia3 {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        // (IA)³'s configuration has no list of blocks: chosen ones are named module by module.
        let named = |target: &Target| -> Vec<String> {
            if self.layers.is_all() {
                return model.family().module(*target).map(|module| module.peft.to_string()).into_iter().collect();
            }
            let family = model.family();
            self.blocks(model).map(|block| family.path(ModulePath::Linear(block, *target))).collect()
        };
        let mut all: Vec<String> = Vec::new();
        for name in self.target_modules.iter().flat_map(&named) {
            // Several matrices of a module are one.
            if !all.contains(&name) {
                all.push(name);
            }
        }
        let inner = self.target_modules.iter().filter(|t| **t == Target::Fc2);
        let inner: Vec<String> = inner.flat_map(&named).collect();
        Ok(json!({"peft_type": "IA3", "target_modules": all, "feedforward_modules": inner,
            "fan_in_fan_out": model.family().fan_in_fan_out, "init_ia3_weights": true}))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_keys()?;
            let places = settings.places(FACTORS)?;
            check_sides(settings, &places)?;
            Ok(Ia3 { target_modules: places.targets, layers: places.blocks })
        };
        settings.is("IA3").then(read)
    }

    fn write(&self, writer: &mut Writer, shape: &Shape, values: &[Vec<f32>]) {
        if !shape.model.family().joins_matrices() {
            return adapter_file::write_tensors(self, writer, shape, values);
        }
        for module in joined::modules(&self.target_modules, &self.layers, &shape.model) {
            if is_inner(module.module) {
                let factors = &values[module.parts[0].1];
                writer.push_floats(module.key(FACTORS), &[1, factors.len()], factors);
                continue;
            }
            // Outputs of matrices that are not chosen are left as they are.
            let ones = vec![1.0; module.shape().1];
            let factors = module.outputs_of(|nth| module.update_of(nth).map_or(&ones, |at| &values[at]));
            writer.push_floats(module.key(FACTORS), &[factors.len(), 1], &factors);
        }
    }

    fn read(
        &self,
        settings: &AdapterSettings<'_>,
        reader: &mut Reader<'_>,
        shape: &Shape,
    ) -> Result<Values, AdapterError> {
        let mut values = Values::new();
        for part in settings.places(FACTORS)?.parts(&shape.model) {
            // Factors that nobody trained are ones, as they start.
            let Some(part) = part else {
                values.push(None);
                continue;
            };
            let key = part.key(&shape.model, FACTORS);
            values.push(Some(match is_inner(part.module) {
                true => reader.floats(&key, &[1, part.shape.0])?,
                false => part.rows(&reader.floats(&key, &[part.outputs(), 1])?, 1),
            }));
        }
        Ok(values)
    }
}

const FACTORS: &str = "ia3_l";

/// Whether factors stand in front of a module; else behind it.
fn is_inner(module: &LinearModule) -> bool {
    module.holds == [Target::Fc2]
}

/// Factors in front of fc2, behind all others: that is what `feedforward_modules` must say.
fn check_sides(settings: &AdapterSettings<'_>, places: &Places) -> Result<(), AdapterError> {
    let (family, inner) = (settings.model.family(), settings.value("feedforward_modules"));
    let names: Vec<&str> = inner.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let whole = inner.as_str().map(|text| adapter_file::pattern(text, |text| format!("^(?:{text})$")));
    for (block, module) in &places.list {
        let path = family.key(ModulePath::Linear(*block, module.holds[0]));
        let said = match &whole {
            Some(Ok(pattern)) => pattern.is_match(&path),
            // One that is not read here: the shape tells, [1, inputs] or [outputs, 1].
            Some(Err(_)) => {
                settings.shape_of(&format!("base_model.model.{path}.{FACTORS}")).is_some_and(|s| s[..1] == [1])
            }
            None => names.iter().any(|name| path.ends_with(name)),
        };
        if said != is_inner(module) {
            let side = if said { "in front of" } else { "behind" };
            let why = format!(
                "its factors stand {side} {path}, and here they stand in front of the MLP's second matrix only"
            );
            return Err(AdapterError::refused("feedforward_modules", inner, &why, adapter_file::merge_it()));
        }
    }
    Ok(())
}
