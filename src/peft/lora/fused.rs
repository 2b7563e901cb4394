//! LoRA where W_Q, W_K and W_V are one matrix, as in some families: updates of k of them become one of rank k·r, whose A holds
//! theirs one below the other and whose B is zero outside their blocks. The product is the same.

use super::Lora;
use crate::model::files::Writer;
use crate::model::{LinearModule, ModelConfig, ModulePath, Target};
use serde_json::{Map, Value, json};

/// A module's name in an adapter.
fn key(model: &ModelConfig, block: usize, module: &LinearModule) -> String {
    model.family().peft_key(ModulePath::Linear(block, module.holds[0]))
}

/// The chosen ones of a module's matrices, by their place in it.
fn chosen(lora: &Lora, of: &[Target]) -> Vec<usize> {
    (0..of.len()).filter(|i| lora.target_modules.contains(&of[*i])).collect()
}

/// The keys of `adapter_config.json` that differ from those for modules of their own.
pub fn keys(lora: &Lora, model: &ModelConfig, mut json: Value) -> Value {
    let (mut modules, mut ranks, mut alphas) = (Vec::new(), Map::new(), Map::new());
    for LinearModule { peft: module, holds: of, .. } in model.family().modules {
        let k = chosen(lora, of).len();
        if k > 0 {
            modules.push(*module);
        }
        if k > 1 {
            ranks.insert((*module).into(), json!(k * lora.rank));
            // The factor stays: α/r, or α/√r.
            let k = k as f64;
            alphas.insert((*module).into(), json!(lora.alpha() * if lora.use_rslora { k.sqrt() } else { k }));
        }
    }
    json["target_modules"] = json!(modules);
    json["rank_pattern"] = Value::Object(ranks);
    json["alpha_pattern"] = Value::Object(alphas);
    json["fan_in_fan_out"] = model.family().fan_in_fan_out.into();
    json
}

/// `values` are A `[inputs, rank]` and B `[rank, outputs]` of each chosen matrix of each chosen block.
pub fn write(writer: &mut Writer, lora: &Lora, model: &ModelConfig, values: &[Vec<f32>]) {
    let r = lora.rank;
    for (i, block) in lora.layers.list(model.num_hidden_layers).into_iter().enumerate() {
        for module in model.family().modules {
            let of = module.holds;
            let chosen = chosen(lora, of);
            let ((inputs, outputs), rank) = (of[0].shape(model), chosen.len() * r);
            let piece = outputs / module.turns(model);
            let (mut a, mut b) = (vec![0.0; rank * inputs], vec![0.0; of.len() * outputs * rank]);
            for (n, place) in chosen.iter().enumerate() {
                let among = lora.target_modules.iter().position(|t| *t == of[*place]).unwrap_or(0);
                let at = 2 * (i * lora.target_modules.len() + among);
                for x in 0..r {
                    for y in 0..inputs {
                        a[(n * r + x) * inputs + y] = values[at][y * r + x];
                    }
                    for y in 0..outputs {
                        // The row of the module in which this output of the matrix stands.
                        let row = (y / piece * of.len() + place) * piece + y % piece;
                        b[row * rank + n * r + x] = values[at + 1][x * outputs + y];
                    }
                }
            }
            if rank > 0 {
                let key = key(model, block, module);
                writer.push_floats(format!("{key}.lora_A.weight"), &[rank, inputs], &a);
                writer.push_floats(format!("{key}.lora_B.weight"), &[of.len() * outputs, rank], &b);
            }
        }
    }
}
