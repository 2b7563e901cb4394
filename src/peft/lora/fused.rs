//! LoRA where W_Q, W_K and W_V are one matrix `c_attn`, as in some families: updates of k of them become one of rank k·r, whose A holds
//! theirs one below the other and whose B is zero outside their blocks. The product is the same.

use super::Lora;
use crate::base::Fault;
use crate::model::files::{Reader, Writer};
use crate::model::{LinearModule, ModelConfig, ModulePath, Target};
use crate::peft::{AdapterError, AdapterSettings, Shape};
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
            let (mut a, mut b) = (vec![0.0; rank * inputs], vec![0.0; of.len() * outputs * rank]);
            for (n, place) in chosen.iter().enumerate() {
                let among = lora.target_modules.iter().position(|t| *t == of[*place]).unwrap_or(0);
                let at = 2 * (i * lora.target_modules.len() + among);
                for x in 0..r {
                    for y in 0..inputs {
                        a[(n * r + x) * inputs + y] = values[at][y * r + x];
                    }
                    for y in 0..outputs {
                        b[(place * outputs + y) * rank + n * r + x] = values[at + 1][x * outputs + y];
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

/// A module of an adapter, its rank, and the factor α/r of its update.
type Module = (&'static LinearModule, usize, f64);

/// The modules that a configuration names, each with the rank and α that its patterns give it.
fn read_modules(settings: &AdapterSettings<'_>) -> Result<Vec<Module>, AdapterError> {
    settings.check_neutral(&["fan_in_fan_out", "rank_pattern", "alpha_pattern"])?;
    if settings.flag("use_dora") {
        let expected = format!("false on {}", settings.model.family().title);
        return Err(AdapterError::unsupported("use_dora", settings.value("use_dora"), &expected));
    }
    let (model, family) = (settings.model, settings.model.family());
    let names = settings.names("target_modules")?;
    let is = |module: &str, name: &str| module == name || module.ends_with(&format!(".{name}"));
    if let Some(other) = names.iter().find(|name| family.modules_named(name).next().is_none()) {
        let mut known: Vec<&str> = family.modules.iter().filter_map(|m| m.peft.rsplit('.').next()).collect();
        known.sort_unstable();
        known.dedup();
        return Err(AdapterError::unsupported("target_modules", &json!(other), &known.join(", ")));
    }
    let of_pattern = |pattern: &str, module: &str| {
        let entries = settings.value(pattern).as_object();
        entries.and_then(|map| map.iter().find(|(name, _)| is(module, name)).map(|(_, v)| v.clone()))
    };
    let (rank, alpha) = (settings.integer("r")?, settings.number("lora_alpha")?);
    let mut modules = Vec::new();
    for linear in family.modules {
        let module = linear.peft;
        if names.iter().any(|name| is(module, name)) {
            let r = match of_pattern("rank_pattern", module) {
                Some(v) => {
                    v.as_u64().ok_or_else(|| AdapterError::unsupported("rank_pattern", &v, "whole numbers"))? as usize
                }
                None => rank,
            };
            let a = match of_pattern("alpha_pattern", module) {
                Some(v) => v.as_f64().ok_or_else(|| AdapterError::unsupported("alpha_pattern", &v, "numbers"))?,
                None => alpha,
            };
            if r == 0 || r > 3 * model.hidden_size {
                return Err(AdapterError::unsupported("rank_pattern", &json!(r), "ranks up to three times the width"));
            }
            let root = settings.value("use_rslora") == &Value::Bool(true);
            modules.push((linear, r, a / if root { (r as f64).sqrt() } else { r as f64 }));
        }
    }
    Ok(modules)
}

/// An adapter of any ranks: each matrix gets the whole A of its module and its rows of B, with zeros up to the highest rank
/// and the module's factor in B.
pub fn read_settings(settings: &AdapterSettings<'_>) -> Result<Lora, AdapterError> {
    let modules = read_modules(settings)?;
    let rank = settings.integer("r")?;
    let highest = modules.iter().map(|(_, r, _)| *r).max().unwrap_or(rank);
    let lora = Lora {
        rank: highest,
        // The factors are in B.
        alpha: Some(highest as f64),
        target_modules: modules.iter().flat_map(|(module, ..)| module.holds.iter().copied()).collect(),
        layers: settings.blocks()?,
        use_rslora: false,
        lora_dropout: 0.0,
    };
    if highest > 1024 {
        return Err(AdapterError::Fault(Fault::new("rank", "A rank above 1024 is not a low one.")));
    }
    Ok(lora)
}

/// φ's values, A `[inputs, rank]` and B `[rank, outputs]` of each matrix of each chosen block.
pub fn read(
    lora: &Lora,
    settings: &AdapterSettings<'_>,
    reader: &mut Reader<'_>,
    shape: &Shape,
) -> Result<Vec<Vec<f32>>, AdapterError> {
    let (modules, model, highest) = (read_modules(settings)?, &shape.model, lora.rank);
    let mut values = Vec::new();
    for block in lora.layers.list(model.num_hidden_layers) {
        for (module, r, factor) in &modules {
            let of = module.holds;
            let (inputs, outputs) = of[0].shape(model);
            let key = key(model, block, module);
            let a = reader.floats(&format!("{key}.lora_A.weight"), &[*r, inputs])?;
            let b = reader.floats(&format!("{key}.lora_B.weight"), &[of.len() * outputs, *r])?;
            for place in 0..of.len() {
                let (mut ours_a, mut ours_b) = (vec![0.0; inputs * highest], vec![0.0; highest * outputs]);
                for x in 0..*r {
                    (0..inputs).for_each(|y| ours_a[y * highest + x] = a[x * inputs + y]);
                    (0..outputs).for_each(|y| {
                        ours_b[x * outputs + y] = (*factor * f64::from(b[(place * outputs + y) * r + x])) as f32;
                    });
                }
                values.extend([ours_a, ours_b]);
            }
        }
    }
    Ok(values)
}
