//! Its file in PEFT.

use super::Prompt;
use crate::model::ModelConfig;
use crate::peft::{AdapterError, AdapterFile, AdapterSettings, adapter_file};
use serde_json::Value;

impl AdapterFile for Prompt {
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError> {
        let mut json = adapter_file::virtual_tokens(self.num_virtual_tokens, model.hidden_size, model);
        json["peft_type"] = "PROMPT_TUNING".into();
        json["prompt_tuning_init"] = "RANDOM".into();
        Ok(json)
    }

    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>> {
        let read = || {
            settings.check_keys()?;
            Ok(Prompt { num_virtual_tokens: settings.virtual_tokens(settings.model.hidden_size)?, ..Prompt::default() })
        };
        // An MLP that wrote the prompt has folded away: what is left is a prompt.
        (settings.is("PROMPT_TUNING") || settings.is("P_TUNING")).then(read)
    }
}
