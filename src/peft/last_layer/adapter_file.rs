//! PEFT has no file for it alone; in others' it is what stands beside them.

use super::{LastLayer, Rows};
use crate::model::ModelConfig;
use crate::peft::adapter_file::{OwnTensors, not_in_peft};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings};
use serde_json::Value;

impl AdapterFile for LastLayer {
    fn keys(&self, _model: &ModelConfig) -> Result<Value, AdapterError> {
        Err(not_in_peft(self))
    }

    fn from_settings(_settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        None
    }

    /// PEFT's `modules_to_save` with `lm_head`.
    fn beside(own: &OwnTensors) -> Option<Self> {
        own.head.then_some(LastLayer { rows: Rows::All })
    }
}
