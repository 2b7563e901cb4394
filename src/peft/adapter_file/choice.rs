//! Which modules an adapter's settings choose, as PEFT's `check_target_module_exists` does.

use super::pattern::pattern;
use super::settings::AdapterSettings;
use regex_lite::Regex;
use serde_json::Value;

/// Names of modules, as a setting gives them.
enum Names {
    /// Every linear module but the head.
    AllLinear,
    /// Whole paths that a pattern fits; `None` for one that cannot be read here.
    Pattern(Option<Regex>),
    /// Whole paths, or their ends.
    List(Vec<String>),
}

impl Names {
    fn of(value: &Value) -> Option<Names> {
        match value {
            Value::String(text) if text.eq_ignore_ascii_case("all-linear") => Some(Names::AllLinear),
            Value::String(text) => Some(Names::Pattern(pattern(text, |text| format!("^(?:{text})$")).ok())),
            Value::Array(items) => Some(Names::List(strings(items))),
            _ => None,
        }
    }
}

fn strings(items: &[Value]) -> Vec<String> {
    items.iter().filter_map(|item| item.as_str().map(String::from)).collect()
}

/// Whether a name is a path or its end.
fn ends(path: &str, name: &str) -> bool {
    path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// What the settings choose.
pub struct Choice {
    target: Option<Names>,
    exclude: Option<Names>,
    saved: Vec<Option<Regex>>,
    /// Blocks, where they are chosen.
    blocks: Option<Vec<u64>>,
    /// What stands in front of a block's number.
    lists: Vec<Option<Regex>>,
}

/// Why a module is not among those that the settings choose: the key that leaves it out.
pub type LeftOut = &'static str;

impl Choice {
    /// What settings choose.
    pub fn of(settings: &AdapterSettings<'_>) -> Choice {
        let several = |key: &str| match settings.value(key) {
            Value::String(text) => vec![text.clone()],
            Value::Array(items) => strings(items),
            _ => Vec::new(),
        };
        let saved = several("modules_to_save");
        let lists: Vec<String> = several("layers_pattern").into_iter().filter(|name| !name.is_empty()).collect();
        let any_list = vec![Regex::new(r"^.*?\.[^.]*\.(?P<idx>\d+)\.").ok()];
        let of_list = |name: &String| pattern(name, |name| format!(r"^(?:|.*?\.){name}\.(?P<idx>\d+)\.")).ok();
        Choice {
            target: Names::of(settings.value("target_modules")),
            exclude: Names::of(settings.value("exclude_modules")).filter(|names| match names {
                Names::List(names) => !names.is_empty(),
                _ => settings.value("exclude_modules") != "",
            }),
            saved: saved.iter().map(|name| pattern(name, |name| format!(r"(^|^.*\.){name}($|\..*)")).ok()).collect(),
            blocks: match settings.value("layers_to_transform") {
                Value::Number(n) => n.as_u64().map(|n| vec![n]),
                Value::Array(items) if !items.is_empty() => Some(items.iter().filter_map(Value::as_u64).collect()),
                _ => None,
            },
            lists: if lists.is_empty() { any_list } else { lists.iter().map(of_list).collect() },
        }
    }

    /// Whether a module is chosen, by its path in the model that PEFT wraps; else the key that leaves it out. `None`
    /// where that depends on a pattern that cannot be read here.
    pub fn has(&self, path: &str, linear: bool) -> Option<Result<(), LeftOut>> {
        let excluded = match &self.exclude {
            None => false,
            Some(Names::AllLinear) => false,
            Some(Names::Pattern(fits)) => fits.as_ref()?.is_match(path),
            Some(Names::List(names)) => names.iter().any(|name| ends(path, name)),
        };
        if excluded {
            return Some(Err("exclude_modules"));
        }
        for saved in &self.saved {
            if saved.as_ref()?.is_match(path) {
                return Some(Err("modules_to_save"));
            }
        }
        let no = Some(Err("target_modules"));
        match self.target.as_ref()? {
            Names::AllLinear => Some(if linear { Ok(()) } else { Err("target_modules") }),
            Names::Pattern(fits) if fits.as_ref()?.is_match(path) => Some(Ok(())),
            Names::Pattern(_) => no,
            // A whole path is chosen whatever its block.
            Names::List(names) if names.iter().any(|name| name == path) => Some(Ok(())),
            Names::List(names) if !names.iter().any(|name| ends(path, name)) => no,
            Names::List(_) => self.in_block(path),
        }
    }

    fn in_block(&self, path: &str) -> Option<Result<(), LeftOut>> {
        let Some(blocks) = &self.blocks else { return Some(Ok(())) };
        for list in &self.lists {
            if let Some(found) = list.as_ref()?.captures(path) {
                let block = found.name("idx").and_then(|number| number.as_str().parse::<u64>().ok());
                let chosen = block.is_some_and(|block| blocks.contains(&block));
                return Some(if chosen { Ok(()) } else { Err("layers_to_transform") });
            }
        }
        Some(Err("layers_pattern"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, ModelConfig, Sizes};
    use serde_json::json;

    fn has(settings: Value, path: &str) -> Option<Result<(), LeftOut>> {
        let sizes = Sizes {
            vocab_size: 11,
            max_position_embeddings: 7,
            hidden_size: 4,
            ffn_dim: 6,
            num_hidden_layers: 2,
            num_attention_heads: 2,
        };
        let model = ModelConfig::native(sizes, Activation::Relu);
        let json = settings.as_object().unwrap();
        Choice::of(&AdapterSettings { json, model: &model, tensors: &[] }).has(path, true)
    }

    const Q0: &str = "model.decoder.layers.0.self_attn.q_proj";
    const C1: &str = "transformer.h.1.mlp.c_proj";

    /// What `check_target_module_exists` of peft 0.21.2 answers.
    #[test]
    fn names_patterns_and_blocks_choose_as_in_peft() {
        let yes = Some(Ok(()));
        let no = |key| Some(Err(key));
        for (settings, path, answer) in [
            (json!({"target_modules": ["q_proj"]}), Q0, yes),
            (json!({"target_modules": ["proj"]}), Q0, no("target_modules")),
            (json!({"target_modules": ["self_attn.q_proj"]}), Q0, yes),
            (json!({"target_modules": "all-linear"}), C1, yes),
            (json!({"target_modules": r".*\.(c_proj|c_fc)"}), C1, yes),
            (json!({"target_modules": r"h\.1\..*"}), C1, no("target_modules")),
            (json!({"target_modules": r"(?!model).*q_proj"}), Q0, None),
            (
                json!({"target_modules": ["q_proj"], "exclude_modules": ["0.self_attn.q_proj"]}),
                Q0,
                no("exclude_modules"),
            ),
            (json!({"target_modules": ["q_proj"], "exclude_modules": r".*\.1\..*"}), Q0, yes),
            (json!({"target_modules": ["c_proj"], "modules_to_save": ["mlp"]}), C1, no("modules_to_save")),
            (json!({"target_modules": ["q_proj"], "layers_to_transform": [1]}), Q0, no("layers_to_transform")),
            (json!({"target_modules": ["q_proj"], "layers_to_transform": 0, "layers_pattern": "layers"}), Q0, yes),
            (json!({"target_modules": ["c_proj"], "layers_to_transform": [1], "layers_pattern": ["h"]}), C1, yes),
            (
                json!({"target_modules": ["c_proj"], "layers_to_transform": [1], "layers_pattern": "layers"}),
                C1,
                no("layers_pattern"),
            ),
            // A whole path does not ask for blocks.
            (json!({"target_modules": [Q0], "layers_to_transform": [1]}), Q0, yes),
            (json!({"target_modules": null}), Q0, None),
        ] {
            assert_eq!(has(settings.clone(), path), answer, "{settings} {path}");
        }
    }
}
