//! Its file in PEFT.

use super::Prefix;
use crate::model::{Compositions, ModelConfig};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, adapter_file};
use burn::tensor::Tensor;
use serde_json::Value;

impl AdapterFile for Prefix {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        if !self.layers.is_all() {
            let message = "PEFT's prefix stands in every layer: one of chosen blocks has no file there.";
            return Err(AdapterError::NotInPeft(message.into()));
        }
        let mut json = adapter_file::virtual_tokens(self.num_virtual_tokens, model.key_value_width(), model);
        json["peft_type"] = "PREFIX_TUNING".into();
        // The MLP has folded away: what is stored are the keys and values themselves.
        json["prefix_projection"] = false.into();
        json["encoder_hidden_size"] = model.hidden_size.into();
        Ok(json)
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_keys()?;
            Ok(Prefix {
                num_virtual_tokens: settings.virtual_tokens(settings.model.key_value_width())?,
                ..Prefix::default()
            })
        };
        settings.is("PREFIX_TUNING").then(read)
    }

    fn folded(&self, phi: &dyn Compositions) -> Option<Tensor<2>> {
        let parts = phi.prefixes().into_iter().flat_map(|p| [p.keys, p.values]).collect();
        Some(Tensor::cat(parts, 1))
    }
}
