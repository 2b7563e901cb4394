//! An `adapter_config.json`, and the names of the tensors beside it.

use super::error::AdapterError;
use crate::model::ModelConfig;
use serde_json::{Map, Value};

/// An `adapter_config.json`, for a base of this shape.
#[derive(Debug)]
pub struct AdapterSettings<'a> {
    /// The file's keys.
    pub json: &'a Map<String, Value>,
    /// The base's shape.
    pub model: &'a ModelConfig,
    /// Names and shapes of the tensors beside it; none where only the settings are asked.
    pub tensors: &'a [(String, Vec<usize>)],
}

/// The largest α, with either sign. Past it the scale of an update, or what it makes of logits, is no finite number of
/// 32 bits.
const ALPHA_LIMIT: f64 = 1e6;

/// A value of a key as α.
pub fn alpha_of(key: &str, value: &Value) -> Result<f64, AdapterError> {
    let alpha = value.as_f64().filter(|alpha| alpha.abs() <= ALPHA_LIMIT);
    let expected = || format!("a number from -{ALPHA_LIMIT} to {ALPHA_LIMIT}");
    alpha.ok_or_else(|| AdapterError::unsupported(key, value, &expected()))
}

impl AdapterSettings<'_> {
    /// Whether the file is of this `peft_type`.
    pub fn is(&self, peft_type: &str) -> bool {
        self.value("peft_type").as_str() == Some(peft_type)
    }

    /// A key's value; null where the key is not there.
    pub fn value(&self, key: &str) -> &Value {
        self.json.get(key).unwrap_or(&Value::Null)
    }

    /// False where the key is not there.
    pub fn flag(&self, key: &str) -> bool {
        match self.value(key) {
            Value::Null => false,
            Value::Bool(flag) => *flag,
            Value::Number(n) => n.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            _ => true,
        }
    }

    /// A key's value as a whole number, not negative. Refuses others, and a key that is not there.
    pub fn integer(&self, key: &str) -> Result<usize, AdapterError> {
        let value = self.value(key);
        let integer = value.as_u64().and_then(|n| usize::try_from(n).ok());
        integer.ok_or_else(|| AdapterError::unsupported(key, value, "a whole number"))
    }

    /// The same; a key that is not there has PEFT's default.
    pub fn integer_or(&self, key: &str, default: usize) -> Result<usize, AdapterError> {
        if self.value(key).is_null() { Ok(default) } else { self.integer(key) }
    }

    /// A key's value as α, a number within [`ALPHA_LIMIT`]. Refuses others, and a key that is not there.
    pub fn alpha(&self, key: &str) -> Result<f64, AdapterError> {
        alpha_of(key, self.value(key))
    }

    /// A key's value as the share that dropout leaves out, 0 to 1; 0 where the key is not there.
    pub fn dropout(&self, key: &str) -> Result<f64, AdapterError> {
        match self.value(key) {
            Value::Null => Ok(0.0),
            value => {
                let share = value.as_f64().filter(|share| (0.0..=1.0).contains(share));
                share.ok_or_else(|| AdapterError::unsupported(key, value, "a number from 0 to 1"))
            }
        }
    }

    /// `num_virtual_tokens`, each of so many numbers. Refuses an adapter for a base of another width.
    pub fn virtual_tokens(&self, width: usize) -> Result<usize, AdapterError> {
        let found = self.value("token_dim");
        if !found.is_null() && found.as_u64() != Some(width as u64) {
            let expected = format!("{width}, the width of this base: the adapter was made for another");
            return Err(AdapterError::unsupported("token_dim", found, &expected));
        }
        self.integer("num_virtual_tokens")
    }

    /// The shape of a tensor of the file.
    pub fn shape_of(&self, key: &str) -> Option<&[usize]> {
        self.tensors.iter().find(|(name, _)| name == key).map(|(_, shape)| shape.as_slice())
    }
}
