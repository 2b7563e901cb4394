//! PEFT has no file for it alone; in others' it is what stands beside them.

use super::{Embeddings, Tables};
use crate::model::{ModelConfig, ModulePath, ParamKind};
use crate::peft::adapter_file::{OwnTensors, not_in_peft};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings};
use serde_json::Value;

impl AdapterFile for Embeddings {
    fn keys(&self, _model: &ModelConfig) -> Result<Value, AdapterError> {
        Err(not_in_peft(self))
    }

    fn from_settings(_settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        None
    }

    /// PEFT's `modules_to_save` with `embed_tokens`.
    fn beside(own: &OwnTensors) -> Option<Self> {
        let has = |table: ModulePath| own.any(|path, kind| path == table && kind == ParamKind::Matrix);
        match (has(ModulePath::Tokens), has(ModulePath::Positions)) {
            (true, true) => Some(Embeddings { tables: Tables::Both }),
            (true, false) => Some(Embeddings { tables: Tables::Tokens }),
            (false, true) => Some(Embeddings { tables: Tables::Positions }),
            (false, false) => None,
        }
    }
}
