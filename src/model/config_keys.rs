//! `config.json` key by key: what stands there, or transformers' default.

use super::{Activation, ModelConfigError};
use crate::base::read_json;
use serde_json::{Map, Value};

/// The keys of a `config.json`.
///
/// Whatever asks for a key gives transformers' default for it: files leave out what is at its default, each
/// version of transformers other keys. A value of another kind is refused by its key.
#[derive(Clone, Debug)]
pub struct ConfigKeys(Map<String, Value>);

impl ConfigKeys {
    /// Reads the file's text.
    pub fn read(text: &str) -> Result<ConfigKeys, ModelConfigError> {
        match read_json(text).map_err(ModelConfigError::Json)? {
            Value::Object(keys) => Ok(ConfigKeys(keys)),
            other => Err(ModelConfigError::Json(format!("it holds {} in place of keys", kind(&other)))),
        }
    }

    /// A text; `None` where the key is missing or null.
    pub fn text(&self, key: &'static str) -> Result<Option<&str>, ModelConfigError> {
        match self.there(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(ModelConfigError::unsupported(key, other, "a name")),
        }
    }

    /// A size, `default` where the key is missing.
    pub fn size(&self, key: &'static str, default: usize) -> Result<usize, ModelConfigError> {
        let Some(value) = self.0.get(key) else { return Ok(default) };
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        size.ok_or_else(|| ModelConfigError::unsupported(key, value, "a size from 1 to 1048576"))
    }

    /// A size under either of two names, as a class with an `attribute_map` reads it; two that differ are
    /// refused.
    pub fn size_of(&self, key: &'static str, other: &'static str, default: usize) -> Result<usize, ModelConfigError> {
        let size = self.size(key, default)?;
        let named = self.size(other, size)?;
        match self.0.contains_key(key) && named != size {
            true => Err(ModelConfigError::unsupported(other, named, format!("what {key} says, {size}"))),
            false => Ok(named),
        }
    }

    /// A size that may be null, and is then something else's.
    pub fn optional_size(&self, key: &'static str) -> Result<Option<usize>, ModelConfigError> {
        self.there(key).map(|_| self.size(key, 0)).transpose()
    }

    /// Refuses a flag that is not what this network computes. `why` stands behind the value that is known.
    pub fn must_be(&self, key: &'static str, known: bool, default: bool, why: &str) -> Result<(), ModelConfigError> {
        match self.0.get(key).unwrap_or(&Value::Bool(default)) {
            Value::Bool(value) if *value == known => Ok(()),
            other => Err(ModelConfigError::unsupported(key, other, format!("{known}{why}"))),
        }
    }

    /// A number above 0, `default` where the key is missing.
    pub fn number(&self, key: &'static str, default: f64) -> Result<f64, ModelConfigError> {
        let Some(value) = self.there(key) else { return Ok(default) };
        let number = value.as_f64().filter(|number| *number > 0.0 && (*number as f32).is_finite());
        number.ok_or_else(|| ModelConfigError::unsupported(key, value, "a number above 0"))
    }

    /// A flag, `default` where the key is missing.
    pub fn flag(&self, key: &'static str, default: bool) -> Result<bool, ModelConfigError> {
        match self.there(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(ModelConfigError::unsupported(key, other, "true or false")),
        }
    }

    /// The keys inside a key, none where it is missing or null.
    pub fn inner(&self, key: &'static str) -> Result<ConfigKeys, ModelConfigError> {
        match self.there(key) {
            None => Ok(ConfigKeys(Map::new())),
            Some(Value::Object(keys)) => Ok(ConfigKeys(keys.clone())),
            Some(other) => Err(ModelConfigError::unsupported(key, other, "keys")),
        }
    }

    /// The activation of the MLP under any of transformers' names, one of those that the family's MLP is
    /// computed with.
    pub fn activation(
        &self,
        key: &'static str,
        default: Activation,
        computed: &[Activation],
    ) -> Result<Activation, ModelConfigError> {
        let Some(name) = self.text(key)? else { return Ok(default) };
        let known = || format!("{}: take a model with one of these", Activation::names(computed).join(", "));
        let found = Activation::named(name).filter(|activation| computed.contains(activation));
        found.ok_or_else(|| ModelConfigError::unsupported(key, name, known()))
    }

    /// What every configuration of transformers may have, and this network does not compute: quantised weights,
    /// heads that are left out.
    pub fn check_common(&self) -> Result<(), ModelConfigError> {
        for key in ["quantization_config", "compression_config"] {
            if let Some(found) = self.there(key) {
                let by = found["quant_method"].as_str().map_or_else(|| found.to_string(), String::from);
                return Err(ModelConfigError::unsupported(key, by, UNQUANTISED));
            }
        }
        match self.there("pruned_heads") {
            Some(heads) if heads.as_object().is_none_or(|heads| !heads.is_empty()) => {
                let known = "no heads left out: write the model again in transformers without them";
                Err(ModelConfigError::unsupported("pruned_heads", heads, known))
            }
            _ => Ok(()),
        }
    }

    /// Whether the key stands there, be it null.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// What stands under a key, `None` where it is missing or null.
    pub fn there(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }
}

/// What is known in place of quantised weights, and the way to it.
pub const UNQUANTISED: &str = "weights in full or half precision: take the model that was quantised, or write this one again in transformers after model.dequantize()";

/// What a JSON value is, for a sentence.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "keys",
    }
}
