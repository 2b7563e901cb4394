//! Every key that PEFT 0.21 writes into `adapter_config.json`, by the type of adapter: what it means to one who loads.

use super::error::{AdapterError, Way};
use super::pattern::{Unread, pattern};
use super::settings::AdapterSettings;
use crate::base::shorten;
use serde_json::Value;

/// What a key means to who loads an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// It says how the adapter was made or trained, not what it computes.
    Neutral,
    /// It is honoured: the reader of a method, of modules or of θ's own tensors asks for it.
    Read,
    /// Only these values, as JSON, compute what is computed here. Then: what another one does, and the way on.
    Only(&'static [&'static str], &'static str, Way),
}

use Key::{Neutral, Only, Read};

/// Keys of every type.
const ALWAYS: &[(&str, Key)] = &[
    (
        "task_type",
        Only(&["null", "\"CAUSAL_LM\""], "the model around it has another head, which would be lost", Way::Causal),
    ),
    ("peft_type", Read),
    ("auto_mapping", Neutral),
    ("peft_version", Neutral),
    ("base_model_name_or_path", Read),
    ("revision", Neutral),
    ("inference_mode", Neutral),
    ("modules_to_save", Read),
];

/// Keys of types that choose modules.
const MODULES: &[(&str, Key)] = &[("target_modules", Read)];

/// The key of types that leave modules out.
const EXCLUDED: &[(&str, Key)] = &[("exclude_modules", Read)];

/// Keys of types that choose blocks.
const BLOCKS: &[(&str, Key)] = &[("layers_to_transform", Read), ("layers_pattern", Read)];

/// Keys of types with ranks.
const RANKS: &[(&str, Key)] = &[("r", Read), ("rank_pattern", Read), ("alpha_pattern", Read)];

const BIAS: Key = Only(
    &["\"none\"", "\"all\"", "\"lora_only\"", "\"vera_only\""],
    "which biases come with it is not known",
    Way::Merge,
);

const OFF: &[&str] = &["null", "[]", "{}", "false"];

const LORA: &[(&str, Key)] = &[
    ("lora_alpha", Read),
    ("lora_dropout", Read),
    ("use_rslora", Read),
    ("use_dora", Read),
    ("bias", BIAS),
    // PEFT sets it by the layer that it finds.
    ("fan_in_fan_out", Neutral),
    (
        "init_lora_weights",
        Only(
            &["true", "false", "null", "\"gaussian\"", "\"orthogonal\"", "\"eva\"", "\"mica\""],
            "A and B come, or may come, out of the base's own weights, which are others from then on",
            Way::Convert,
        ),
    ),
    ("megatron_config", Only(OFF, "the modules are Megatron's", Way::Merge)),
    ("megatron_core", Neutral),
    ("trainable_token_indices", Only(OFF, "it trained rows of the token embedding, which would be lost", Way::Merge)),
    // Configurations of starts: `init_lora_weights` says whether one of them was used.
    ("loftq_config", Neutral),
    ("eva_config", Neutral),
    ("corda_config", Neutral),
    ("lora_ga_config", Neutral),
    // Of the backward pass.
    ("velora_config", Neutral),
    ("runtime_config", Neutral),
    ("alora_invocation_tokens", Only(OFF, "the update acts behind certain tokens only", Way::Merge)),
    ("use_qalora", Only(OFF, "A reads means over groups of inputs", Way::Merge)),
    ("qalora_group_size", Neutral),
    ("monteclora_config", Only(OFF, "the update is drawn anew in every pass", Way::Merge)),
    ("layer_replication", Only(OFF, "the network has more blocks than its base", Way::Merge)),
    ("lora_bias", Only(OFF, "B has a bias of its own, which would be lost", Way::Merge)),
    ("target_parameters", Only(OFF, "it updates parameters outside of linear modules", Way::Merge)),
    ("use_bdlora", Only(OFF, "A or B consists of blocks", Way::Merge)),
    ("arrow_config", Only(OFF, "several adapters are weighed against each other", Way::Merge)),
    ("kasa_config", Only(OFF, "the base's weights are cut to a lower rank first", Way::Merge)),
    ("ensure_weight_tying", Only(OFF, "embedding and head are trained as one", Way::Merge)),
];

const LOHA: &[(&str, Key)] = &[
    ("alpha", Read),
    ("rank_dropout", Neutral),
    ("module_dropout", Neutral),
    // Of convolutions.
    ("use_effective_conv2d", Neutral),
    ("init_weights", Neutral),
];

const VERA: &[(&str, Key)] = &[
    ("r", Read),
    // The matrices themselves are in the file.
    ("projection_prng_key", Neutral),
    ("save_projection", Read),
    ("vera_dropout", Neutral),
    ("d_initial", Neutral),
    ("fan_in_fan_out", Neutral),
    ("bias", BIAS),
    ("init_weights", Neutral),
];

const IA3: &[(&str, Key)] =
    &[("feedforward_modules", Read), ("fan_in_fan_out", Neutral), ("init_ia3_weights", Neutral)];

/// Keys of types with virtual tokens. What an encoder wrote is what the file holds.
const VIRTUAL: &[(&str, Key)] = &[
    ("num_virtual_tokens", Read),
    ("token_dim", Read),
    ("num_transformer_submodules", Only(&["null", "1"], "the model has an encoder too", Way::Causal)),
    ("num_attention_heads", Neutral),
    ("num_layers", Neutral),
];

const PROMPT: &[(&str, Key)] = &[
    ("prompt_tuning_init", Neutral),
    ("prompt_tuning_init_text", Neutral),
    ("tokenizer_name_or_path", Neutral),
    ("tokenizer_kwargs", Neutral),
];

const P_TUNING: &[(&str, Key)] = &[
    ("encoder_reparameterization_type", Neutral),
    ("encoder_hidden_size", Neutral),
    ("encoder_num_layers", Neutral),
    ("encoder_dropout", Neutral),
];

const PREFIX: &[(&str, Key)] =
    &[("encoder_hidden_size", Neutral), ("prefix_projection", Neutral), ("init_weights", Neutral)];

/// The keys of a type of adapter; none for a type that nobody here reads.
pub fn of_type(peft_type: &str) -> Vec<(&'static str, Key)> {
    let parts: &[&[(&str, Key)]] = match peft_type {
        "LORA" => &[ALWAYS, MODULES, EXCLUDED, BLOCKS, RANKS, LORA],
        "LOHA" => &[ALWAYS, MODULES, EXCLUDED, BLOCKS, RANKS, LOHA],
        "VERA" => &[ALWAYS, MODULES, BLOCKS, VERA],
        "IA3" => &[ALWAYS, MODULES, EXCLUDED, IA3],
        "LN_TUNING" => &[ALWAYS, MODULES, EXCLUDED],
        "PROMPT_TUNING" => &[ALWAYS, VIRTUAL, PROMPT],
        "P_TUNING" => &[ALWAYS, VIRTUAL, P_TUNING],
        "PREFIX_TUNING" => &[ALWAYS, VIRTUAL, PREFIX],
        _ => &[],
    };
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}

/// Whether a value says that something is left out: what a key of a later version has where it is not used.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::String(text) => text.is_empty() || text == "none",
        Value::Bool(true) | Value::Number(_) => false,
    }
}

impl AdapterSettings<'_> {
    /// Refuses settings that would change what is computed, and keys that nobody here knows unless they are off.
    pub fn check_keys(&self) -> Result<(), AdapterError> {
        let known = of_type(self.value("peft_type").as_str().unwrap_or_default());
        for (key, value) in self.json {
            match known.iter().find(|(name, _)| name == key) {
                Some((_, Only(values, why, way))) if !values.contains(&value.to_string().as_str()) => {
                    return Err(AdapterError::refused(key, value, why, way.sentence()));
                }
                Some((name, Read)) => self.check_patterns(name)?,
                None if !is_off(value) => {
                    let why = "PEFT 0.21 has no such setting, and what it changes is not known here";
                    return Err(AdapterError::refused(key, value, why, Way::Merge.sentence()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses a key with a pattern that PEFT cannot read either.
    fn check_patterns(&self, key: &'static str) -> Result<(), AdapterError> {
        let Some((_, held)) = PATTERNS.into_iter().find(|(name, _)| *name == key) else { return Ok(()) };
        let value = self.value(key);
        let texts: Vec<&str> = match value {
            Value::String(text) => vec![text],
            Value::Array(items) if held == Held::Listed => items.iter().filter_map(Value::as_str).collect(),
            Value::Object(entries) if held == Held::AsKeys => entries.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        for text in texts {
            if let Err(Unread::Broken(fault)) = pattern(text, str::to_string) {
                let why = format!("the pattern “{}” cannot be read: {fault}", shorten(text));
                return Err(AdapterError::refused(key, value, &why, "PEFT cannot read it either: mend it there."));
            }
        }
        Ok(())
    }
}

/// Where a key has its patterns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// A text is one; names in a list are none.
    Alone,
    /// A text is one, and so is each of a list.
    Listed,
    /// The names of its entries.
    AsKeys,
}

/// Keys that hold patterns.
const PATTERNS: [(&str, Held); 7] = [
    ("target_modules", Held::Alone),
    ("exclude_modules", Held::Alone),
    ("feedforward_modules", Held::Alone),
    ("layers_pattern", Held::Listed),
    ("modules_to_save", Held::Listed),
    ("rank_pattern", Held::AsKeys),
    ("alpha_pattern", Held::AsKeys),
];
