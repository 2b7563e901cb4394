//! Its file in PEFT.

use super::LnTuning;
use crate::model::files::Reader;
use crate::model::{ModelConfig, ModulePath, ParamKind};
use crate::peft::adapter_file::{Choice, OwnTensors, Values};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Shape, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for LnTuning {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        Ok(json!({"peft_type": "LN_TUNING", "target_modules": model.family().norms()}))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_keys()?;
            match norms(settings)?.is_empty() {
                true => {
                    let why = format!("{}'s LayerNorms are {}", settings.model.family().title, known(settings));
                    let found = settings.value("target_modules");
                    Err(AdapterError::refused("target_modules", found, &why, adapter_file::merge_it()))
                }
                false => Ok(LnTuning),
            }
        };
        settings.is("LN_TUNING").then(read)
    }

    fn read(
        &self,
        settings: &AdapterSettings<'_>,
        reader: &mut Reader<'_>,
        shape: &Shape,
    ) -> Result<Values, AdapterError> {
        let (there, model) = (norms(settings)?, &shape.model);
        let mut values = Values::new();
        for path in ModulePath::all(model).filter(|path| path.is_norm()) {
            for kind in path.pieces(model) {
                let key = format!("{}.ln_tuning_layers.{}", model.family().peft_key(path), kind.name());
                // A norm that nobody trained stays θ's.
                values.push(match there.contains(&path) {
                    true => Some(reader.floats(&key, &[path.elements(*kind, model) as usize])?),
                    false => None,
                });
            }
        }
        Ok(values)
    }

    fn beside(own: &OwnTensors) -> Option<Self> {
        own.any(|_, kind| kind == ParamKind::Scale).then_some(LnTuning)
    }
}

const SCALE: &str = "ln_tuning_layers.weight";

/// The norms that an adapter trains.
fn norms(settings: &AdapterSettings<'_>) -> Result<Vec<ModulePath>, AdapterError> {
    let (model, choice) = (settings.model, Choice::of(settings));
    let mut norms = Vec::new();
    for path in ModulePath::all(model).filter(|path| path.is_norm()) {
        if settings.stands_in(&choice, &model.family().key(path), SCALE, false)? {
            norms.push(path);
        }
    }
    Ok(norms)
}

fn known(settings: &AdapterSettings<'_>) -> String {
    settings.model.family().norms().join(", ")
}
