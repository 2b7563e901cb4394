//! What several files together are, by what is among them: an adapter, a checkpoint, or something else.

use crate::bases::Checkpoint;
use crate::peft::adapter_names::{CONFIG_FILE, MODEL_FILE, PICKLE_FILE};

/// What files together are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// An adapter of Hugging Face PEFT: the places of its settings and of its tensors among the files.
    Adapter {
        /// `adapter_config.json`
        config: usize,
        /// `adapter_model.safetensors`
        weights: usize,
    },
    /// A checkpoint, whole or not.
    Checkpoint,
    /// A run, data, or nothing that is known.
    Other,
}

/// What files of these names are. An adapter's settings make them an adapter, whatever trainers have left beside it.
///
/// # Errors
/// A sentence where an adapter is not whole, or its tensors are a pickle.
pub fn brought(names: &[&str]) -> Result<Brought, String> {
    // Browsers number a second download, and people rename.
    let settings = |name: &str| name.strip_suffix(".json").is_some_and(|stem| stem.contains("adapter_config"));
    let tensors = |name: &str| name.ends_with(".safetensors") && !Checkpoint::claims(name);
    let config = names.iter().position(|name| *name == CONFIG_FILE).or(names.iter().position(|name| settings(name)));
    let weights = names.iter().position(|name| *name == MODEL_FILE);
    let pickled = names.contains(&PICKLE_FILE);
    match (config, weights) {
        (Some(config), Some(weights)) => return Ok(Brought::Adapter { config, weights }),
        (_, None) if pickled => {
            return Err(format!(
                "{PICKLE_FILE} is a Python pickle, which may run any code where it is opened: load the adapter in PEFT and write it again with model.save_pretrained(folder), which gives {MODEL_FILE}."
            ));
        }
        (Some(config), None) => match names.iter().position(|name| tensors(name)) {
            Some(weights) => return Ok(Brought::Adapter { config, weights }),
            None => return Err(format!("{MODEL_FILE} is missing: {BOTH}")),
        },
        (None, Some(_)) => return Err(no_adapter()),
        (None, None) => {}
    }
    Ok(if names.iter().any(|name| Checkpoint::claims(name)) { Brought::Checkpoint } else { Brought::Other })
}

/// What is said where no file is an adapter's.
pub fn no_adapter() -> String {
    format!("{CONFIG_FILE} is missing: {BOTH}")
}

/// What belongs together.
const BOTH: &str = "an adapter is adapter_config.json and adapter_model.safetensors together.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_what_is_among_them() {
        let adapter = |config, weights| Ok(Brought::Adapter { config, weights });
        for (names, is) in [
            (vec![CONFIG_FILE, MODEL_FILE], adapter(0, 1)),
            (vec!["README.md", "tokenizer.json", MODEL_FILE, "config.json", CONFIG_FILE], adapter(4, 2)),
            (vec!["optimizer.pt", "model.safetensors", MODEL_FILE, PICKLE_FILE, CONFIG_FILE], adapter(4, 2)),
            (vec!["adapter_config (1).json", "my.safetensors"], adapter(0, 1)),
            (vec!["config.json", "model.safetensors", "tokenizer.json"], Ok(Brought::Checkpoint)),
            (vec!["tokenizer.json", "vocab.json"], Ok(Brought::Checkpoint)),
            (vec!["data.csv"], Ok(Brought::Other)),
            (vec!["run.jsonl", "README.md"], Ok(Brought::Other)),
        ] {
            assert_eq!(brought(&names), is, "{names:?}");
        }
    }

    #[test]
    fn half_an_adapter_and_a_pickle_are_told() {
        let told = |names: &[&str]| brought(names).unwrap_err();
        for names in [vec![CONFIG_FILE], vec!["tokenizer.json", CONFIG_FILE, "model.safetensors"]] {
            assert!(told(&names).starts_with("adapter_model.safetensors is missing"), "{names:?}");
        }
        for names in [vec![MODEL_FILE], vec![MODEL_FILE, "config.json"]] {
            assert!(told(&names).starts_with("adapter_config.json is missing"), "{names:?}");
        }
        for names in [vec![PICKLE_FILE], vec![CONFIG_FILE, PICKLE_FILE, "tokenizer.json"]] {
            assert!(told(&names).contains("pickle") && told(&names).contains("save_pretrained"), "{names:?}");
        }
    }
}
