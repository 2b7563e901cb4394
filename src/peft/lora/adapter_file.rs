//! Its file in PEFT.

use super::Lora;
use crate::model::ModelConfig;
use crate::model::files::{Reader, Writer};
use crate::peft::adapter_file::{LowRank, Values, joined};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Shape, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Lora {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        let json = json!({"peft_type": "LORA", "r": self.rank, "lora_alpha": self.alpha(), "lora_dropout": self.lora_dropout,
            "target_modules": adapter_file::modules(&self.target_modules, model),
            "layers_to_transform": adapter_file::blocks_to_transform(&self.layers, model), "layers_pattern": null,
            "use_rslora": self.use_rslora, "use_dora": false, "bias": "none", "fan_in_fan_out": false, "init_lora_weights": true,
            "rank_pattern": {}, "alpha_pattern": {}});
        if !model.family().joins_matrices() {
            return Ok(json);
        }
        let scale = (self.rank, self.alpha(), self.use_rslora);
        Ok(joined::keys(&self.target_modules, scale, "lora_alpha", model, json))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        if !settings.is("LORA") {
            return None;
        }
        let read = || {
            settings.check_keys()?;
            let LowRank { rank, alpha, root, places, .. } = updates(settings)?;
            Ok(Lora {
                rank,
                alpha: Some(alpha),
                target_modules: places.targets,
                layers: places.blocks,
                use_rslora: root,
                lora_dropout: settings.dropout("lora_dropout")?.min(0.9),
            })
        };
        (!settings.flag("use_dora")).then(read)
    }

    fn write(&self, writer: &mut Writer, shape: &Shape, values: &[Vec<f32>]) {
        if !shape.model.family().joins_matrices() {
            return adapter_file::write_tensors(self, writer, shape, values);
        }
        for module in joined::modules(&self.target_modules, &self.layers, &shape.model) {
            let (a, b) = (module.a(self.rank, |at| &values[2 * at]), module.b(self.rank, |at| &values[2 * at + 1]));
            for (name, (shape, values)) in [(A, a), ("lora_B.weight", b)] {
                writer.push_floats(module.key(name), &shape, &values);
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
            match part {
                Some(part) => {
                    values.extend(updates.pair(&part, [A, "lora_B.weight"], reader, &shape.model)?.map(Some));
                }
                // An update that nobody trained is none: B starts at zero.
                None => values.extend([None, None]),
            }
        }
        Ok(values)
    }
}

const A: &str = "lora_A.weight";

fn updates(settings: &AdapterSettings<'_>) -> Result<LowRank, AdapterError> {
    settings.low_rank(A, "lora_alpha", settings.flag("use_rslora"))
}
