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

    /// A key's value as a number. Refuses others, and a key that is not there.
    pub fn number(&self, key: &str) -> Result<f64, AdapterError> {
        self.value(key).as_f64().ok_or_else(|| AdapterError::unsupported(key, self.value(key), "a number"))
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
