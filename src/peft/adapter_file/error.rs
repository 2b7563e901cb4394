//! Adapters that cannot be used, and what helps.

use crate::base::{Failure, Fault, shorten};
use crate::model::files::TensorFileError;
use crate::peft::adapter_names::{CONFIG_FILE, MODEL_FILE};
use serde_json::Value;

/// An adapter that cannot be used, or a φ that PEFT has no file for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// The settings are no JSON; what the parser says.
    #[error("{CONFIG_FILE} is not readable: {0}")]
    Json(String),
    /// The settings are another kind of file, which the sentence names.
    #[error("{0}.")]
    Foreign(String),
    /// A setting under which PEFT would compute something else.
    #[error("{CONFIG_FILE}: {key} is {found}, this lab knows {expected}")]
    Unsupported {
        /// The key in the file.
        key: String,
        /// Its value there, as JSON.
        found: String,
        /// The values that are read.
        expected: String,
    },
    /// A setting under which something else would be computed: why, and the way on.
    #[error("{CONFIG_FILE}: {key} is {found}: {why}. {way}")]
    Refused {
        /// The key in the file.
        key: String,
        /// Its value there, as JSON.
        found: String,
        /// What that value does, or what would be lost.
        why: String,
        /// What helps: a sentence.
        way: String,
    },
    /// A tensor that this lab has no place for.
    #[error("{MODEL_FILE} has a tensor “{key}”, for which this lab has no place. {}", merge_it())]
    Elsewhere {
        /// The tensor's name.
        key: String,
    },
    /// The files name another base than the one in use, and do not fit it.
    #[error("{reason}. {mismatch}")]
    OtherBase {
        /// What does not fit.
        reason: String,
        /// Both names: a sentence.
        mismatch: String,
    },
    /// A setting is outside a knob's range, or does not go with the base.
    #[error("{CONFIG_FILE}: {}: {}", .0.key, .0.message)]
    Fault(Fault),
    /// The file of tensors cannot be used.
    #[error(transparent)]
    Tensors(#[from] TensorFileError),
    /// PEFT cannot hold this φ; a sentence that says why, and the way on.
    #[error("{0}")]
    NotInPeft(String),
    /// φ could not be read back from the device.
    #[error("{}", .0.message)]
    Device(Failure),
}

impl From<Failure> for AdapterError {
    fn from(failure: Failure) -> Self {
        AdapterError::Device(failure)
    }
}

impl AdapterError {
    /// A setting with a value that this lab does not know.
    pub fn unsupported(key: &str, found: &Value, expected: &str) -> AdapterError {
        let found = shorten(&found.to_string());
        AdapterError::Unsupported { key: key.into(), found, expected: expected.into() }
    }

    /// A setting that is refused: why, and a sentence with the way on.
    pub fn refused(key: &str, found: &Value, why: &str, way: &str) -> AdapterError {
        let found = shorten(&found.to_string());
        AdapterError::Refused { key: key.into(), found, why: why.into(), way: way.into() }
    }
}

/// What helps where a setting is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The update can be folded into the base.
    Merge,
    /// The adapter can be written as plain LoRA.
    Convert,
    /// The adapter has to be made for another task.
    Causal,
}

impl Way {
    /// The sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Way::Merge => {
                "Fold it into its base in PEFT (merge_and_unload), save that model, and bring it as a checkpoint."
            }
            Way::Convert => {
                "Save it as plain LoRA: save_pretrained with path_initial_model_for_weight_conversion does."
            }
            Way::Causal => "Only adapters of causal language models are read: task_type CAUSAL_LM.",
        }
    }
}

/// What is refused for a reason of its own gets the same way on.
pub fn merge_it() -> &'static str {
    Way::Merge.sentence()
}
