//! Its file in PEFT.

use super::Dora;
use crate::model::files::{Reader, Writer};
use crate::model::{ModelConfig, ModulePath};
use crate::peft::adapter_file::{LowRank, Values, joined};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Shape, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Dora {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        let json = json!({"peft_type": "LORA", "r": self.rank, "lora_alpha": self.alpha(), "lora_dropout": 0.0,
            "target_modules": adapter_file::modules(&self.target_modules, model),
            "layers_to_transform": adapter_file::blocks_to_transform(&self.layers, model), "layers_pattern": null,
            "use_rslora": false, "use_dora": true, "bias": "none", "fan_in_fan_out": false, "init_lora_weights": true,
            "rank_pattern": {}, "alpha_pattern": {}});
        if !model.family().joins_matrices() {
            return Ok(json);
        }
        let scale = (self.rank, self.alpha(), false);
        Ok(joined::keys(&self.target_modules, scale, "lora_alpha", model, json))
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

    /// Matrices that share a module with a chosen one: their outputs keep θ's lengths.
    fn lengths_of_theta(&self, model: &ModelConfig) -> Vec<ModulePath> {
        let modules = joined::modules(&self.target_modules, &self.layers, model);
        modules.iter().flat_map(untouched).collect()
    }

    fn write(&self, writer: &mut Writer, shape: &Shape, values: &[Vec<f32>]) {
        if !shape.model.family().joins_matrices() {
            return adapter_file::write_tensors(self, writer, shape, values);
        }
        let of_theta = self.lengths_of_theta(&shape.model);
        let own = values.len() - of_theta.len();
        for module in joined::modules(&self.target_modules, &self.layers, &shape.model) {
            let (a, b) = (module.a(self.rank, |at| &values[3 * at]), module.b(self.rank, |at| &values[3 * at + 1]));
            for (name, (shape, values)) in [(A, a), ("lora_B.weight", b)] {
                writer.push_floats(module.key(name), &shape, &values);
            }
            let lengths = module.outputs_of(|nth| match module.update_of(nth) {
                Some(at) => &values[3 * at + 2],
                None => of_theta.iter().position(|path| *path == module.path(nth)).map_or(&[], |i| &values[own + i]),
            });
            writer.push_floats(module.key("lora_magnitude_vector"), &[lengths.len()], &lengths);
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

fn untouched(module: &joined::Joined<'_>) -> Vec<ModulePath> {
    let all = 0..module.module.holds.len();
    all.filter(|nth| module.update_of(*nth).is_none()).map(|nth| module.path(nth)).collect()
}
