//! Its file in PEFT.

use super::PTuning;
use crate::model::{Compositions, ModelConfig};
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, adapter_file};
use burn::tensor::Tensor;
use serde_json::Value;

impl AdapterFile for PTuning {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        let mut json = adapter_file::virtual_tokens(self.num_virtual_tokens, model.hidden_size, model);
        json["peft_type"] = "P_TUNING".into();
        json["encoder_reparameterization_type"] = "MLP".into();
        json["encoder_hidden_size"] = self.encoder_hidden_size.into();
        json["encoder_num_layers"] = 2.into();
        json["encoder_dropout"] = 0.0.into();
        Ok(json)
    }

    fn from_settings(_settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        // What is stored is what the MLP wrote: prompt tuning reads it.
        None
    }

    fn folded(&self, phi: &dyn Compositions) -> Option<Tensor<2>> {
        phi.prompt()
    }
}
