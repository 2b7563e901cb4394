//! Its file in PEFT.

use super::Ia3;
use crate::model::{ModelConfig, ModulePath, Target};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, Blocks, adapter_file};
use serde_json::{Value, json};

impl AdapterFile for Ia3 {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        adapter_file::refuse_fused(self, model)?;
        // (IA)³'s configuration has no list of blocks: chosen ones are named module by module.
        let named = |target: &Target| -> Vec<String> {
            if self.layers.is_all() {
                return vec![target.module().to_string()];
            }
            let family = model.family();
            self.blocks(model).map(|block| family.path(ModulePath::Linear(block, *target))).collect()
        };
        let all: Vec<String> = self.target_modules.iter().flat_map(&named).collect();
        let inner = self.target_modules.iter().filter(|t| **t == Target::Fc2);
        let inner: Vec<String> = inner.flat_map(&named).collect();
        Ok(json!({"peft_type": "IA3", "target_modules": all, "feedforward_modules": inner, "fan_in_fan_out": false,
            "init_ia3_weights": true}))
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        settings.is("IA3").then(|| settings.check_neutral(&[]).and_then(|()| read_modules(settings)))
    }
}

/// Modules are named with their blocks where some are left out.
fn read_modules(settings: &AdapterSettings<'_>) -> Result<Ia3, AdapterError> {
    let names = settings.names("target_modules")?;
    let wrong = |name: &str| {
        let expected = format!("module names of {}, all in the same blocks", settings.model.family().title);
        AdapterError::unsupported("target_modules", &json!(name), &expected)
    };
    let mut places: Vec<(Option<usize>, Target)> = Vec::new();
    for name in &names {
        let module = name.rsplit('.').next().unwrap_or(name);
        let target = Target::from_module(module).ok_or_else(|| wrong(name))?;
        let block = match name.split_once("layers.") {
            Some((_, rest)) => {
                let number = rest.split('.').next().unwrap_or_default();
                Some(number.parse::<usize>().ok().filter(|b| *b < 1024).ok_or_else(|| wrong(name))?)
            }
            None if name == module => None,
            None => return Err(wrong(name)),
        };
        places.push((block, target));
    }
    let of = |target: Target| {
        let mut blocks: Vec<Option<usize>> = places.iter().filter(|p| p.1 == target).map(|p| p.0).collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks
    };
    let target_modules: Vec<Target> = Target::ALL.into_iter().filter(|t| !of(*t).is_empty()).collect();
    let blocks = of(target_modules[0]);
    if target_modules.iter().any(|t| of(*t) != blocks) {
        return Err(wrong(&names.join(", ")));
    }
    let layers = match blocks.iter().copied().collect::<Option<Vec<usize>>>() {
        Some(blocks) => Blocks::of(blocks, settings.model.num_hidden_layers),
        None if blocks == [None] => Blocks::default(),
        None => return Err(wrong(&names.join(", "))),
    };
    // Factors in front of fc2, behind all others: that is what `feedforward_modules` must say.
    let inner = settings.names("feedforward_modules").unwrap_or_default();
    let is_inner = |name: &String| inner.iter().any(|i| name.ends_with(i.as_str()));
    for name in &names {
        if is_inner(name) != name.ends_with("fc2") {
            let expected = "fc2 where it is a target, and nothing else";
            return Err(AdapterError::unsupported("feedforward_modules", &json!(inner), expected));
        }
    }
    Ok(Ia3 { target_modules, layers })
}
