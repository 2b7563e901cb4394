//! A method's file in Hugging Face PEFT: its keys of `adapter_config.json`, and its tensors (peft 0.21).

use super::{Blocks, Method, Shape};
use crate::base::{Failure, Fault, shorten};
use crate::model::files::{Reader, TensorFileError, Writer};
use crate::model::{Compositions, ModelConfig, Target, TensorInfo};
use burn::tensor::Tensor;
use serde_json::{Map, Value, json};

/// The settings of an adapter, as PEFT names the file.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// The tensors of an adapter, as PEFT names the file.
pub const MODEL_FILE: &str = "adapter_model.safetensors";

/// The keys of A and B that all blocks share.
pub const SHARED_PAIR: [&str; 2] = ["base_model.vera_A", "base_model.vera_B"];

/// An adapter that cannot be used, or a φ that PEFT has no file for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// The settings are no JSON; what the parser says.
    #[error("{CONFIG_FILE} is not readable: {0}")]
    Json(String),
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
}

/// How PEFT holds a method, if it does.
pub trait AdapterFile: Method {
    /// The method's own keys of `adapter_config.json`; the reason where PEFT cannot hold this configuration.
    fn keys(&self, model: &ModelConfig) -> Result<Value, AdapterError>;

    /// The method that a configuration file tells of; `None` where it is another's.
    fn from_settings(settings: &AdapterSettings<'_>) -> Option<Result<Self, AdapterError>>
    where
        Self: Sized;

    /// Checks what a file told against the base.
    fn check_read(&self, shape: &Shape) -> Result<(), Fault> {
        self.check(shape, 0)
    }

    /// What is stored in place of φ's own tensors, where a reparameterisation folds away: `[n, width]`.
    fn folded(&self, _phi: &dyn Compositions) -> Option<Tensor<2>> {
        None
    }

    /// Adds φ's tensors to a file. `values` are in φ's order.
    fn write(&self, writer: &mut Writer, shape: &Shape, values: &[Vec<f32>]) {
        write_tensors(self, writer, shape, values);
    }

    /// φ's values from a file, in φ's order.
    fn read(
        &self,
        _settings: &AdapterSettings<'_>,
        reader: &mut Reader<'_>,
        shape: &Shape,
    ) -> Result<Vec<Vec<f32>>, AdapterError> {
        read_tensors(self, reader, shape)
    }
}

/// Adds φ's tensors under PEFT's keys.
pub fn write_tensors(method: &(impl Method + ?Sized), writer: &mut Writer, shape: &Shape, values: &[Vec<f32>]) {
    for (info, values) in method.tensors(shape).iter().zip(values) {
        writer.push(key(info), info, values);
    }
}

/// The values of φ's tensors under PEFT's keys.
pub fn read_tensors(
    method: &(impl Method + ?Sized),
    reader: &mut Reader<'_>,
    shape: &Shape,
) -> Result<Vec<Vec<f32>>, AdapterError> {
    let infos = method.tensors(shape);
    Ok(infos.iter().map(|info| reader.tensor(&key(info), info)).collect::<Result<_, _>>()?)
}

/// PEFT's key of one of φ's tensors.
fn key(info: &TensorInfo) -> String {
    if info.name.starts_with("model.") { format!("base_model.model.{}", info.name) } else { info.name.clone() }
}

/// Why a method has no file there.
pub fn not_in_peft(method: &dyn Method) -> AdapterError {
    AdapterError::NotInPeft(format!("PEFT has no file for {}: save the run, which holds φ too.", method.info().title))
}

/// Refuses a base whose W_Q, W_K and W_V are one matrix.
pub fn refuse_fused(method: &dyn Method, model: &ModelConfig) -> Result<(), AdapterError> {
    let family = model.family();
    let message =
        || format!("Of {}'s modules only LoRA is written, not {}: save the run.", family.title, method.info().title);
    if family.joins_matrices() { Err(AdapterError::NotInPeft(message())) } else { Ok(()) }
}

/// For methods that PEFT does not have.
macro_rules! no_adapter_file {
    ($method:ty) => {
        impl crate::peft::AdapterFile for $method {
            fn keys(&self, _model: &crate::model::ModelConfig) -> Result<serde_json::Value, crate::peft::AdapterError> {
                Err(crate::peft::adapter_file::not_in_peft(self))
            }

            fn from_settings(
                _settings: &crate::peft::AdapterSettings<'_>,
            ) -> Option<Result<Self, crate::peft::AdapterError>> {
                None
            }
        }
    };
}
pub(crate) use no_adapter_file;

/// Module names of chosen targets, all the same in every block, as PEFT's `target_modules`.
pub fn modules(targets: &[Target]) -> Value {
    targets.iter().map(|t| t.module()).collect()
}

/// `layers_to_transform`: null for all blocks.
pub fn blocks_to_transform(blocks: &Blocks, model: &ModelConfig) -> Value {
    if blocks.is_all() { Value::Null } else { json!(blocks.list(model.num_hidden_layers)) }
}

/// Keys of every method with virtual tokens.
pub fn virtual_tokens(n: usize, model: &ModelConfig) -> Value {
    json!({"num_virtual_tokens": n, "token_dim": model.hidden_size, "num_layers": model.num_hidden_layers,
           "num_attention_heads": model.num_attention_heads, "num_transformer_submodules": 1})
}

/// Settings of PEFT that would change what is computed, with the values under which they do not.
const NEUTRAL: [(&str, &[&str]); 20] = [
    ("bias", &["\"none\""]),
    ("modules_to_save", &["null", "[]"]),
    ("fan_in_fan_out", &["false"]),
    ("rank_pattern", &["{}", "null"]),
    ("alpha_pattern", &["{}", "null"]),
    ("layers_pattern", &["null", "[]", "\"layers\"", "[\"layers\"]"]),
    ("exclude_modules", &["null", "[]"]),
    ("layer_replication", &["null"]),
    ("lora_bias", &["false"]),
    ("target_parameters", &["null", "[]"]),
    ("trainable_token_indices", &["null"]),
    ("alora_invocation_tokens", &["null"]),
    ("arrow_config", &["null"]),
    ("kasa_config", &["null"]),
    ("use_qalora", &["false"]),
    ("use_bdlora", &["null", "false"]),
    ("velora_config", &["null"]),
    ("monteclora_config", &["null"]),
    ("num_transformer_submodules", &["null", "1"]),
    ("encoder_reparameterization_type", &["\"MLP\"", "\"LSTM\""]),
];

/// An `adapter_config.json`, for a base of this shape.
#[derive(Debug)]
pub struct AdapterSettings<'a> {
    /// The file's keys.
    pub json: &'a Map<String, Value>,
    /// The base's shape.
    pub model: &'a ModelConfig,
}

impl AdapterSettings<'_> {
    /// Whether the file is of this `peft_type`.
    pub fn is(&self, peft_type: &str) -> bool {
        self.value("peft_type").as_str() == Some(peft_type)
    }

    /// Refuses settings that would change what is computed, but for those that the caller reads itself.
    pub fn check_neutral(&self, reads: &[&str]) -> Result<(), AdapterError> {
        for (key, neutral) in NEUTRAL.into_iter().filter(|(key, _)| !reads.contains(key)) {
            if let Some(found) = self.json.get(key)
                && !neutral.contains(&found.to_string().as_str())
            {
                return Err(AdapterError::unsupported(key, found, neutral[0]));
            }
        }
        Ok(())
    }

    /// A key's value; null where the key is not there.
    pub fn value(&self, key: &str) -> &Value {
        self.json.get(key).unwrap_or(&Value::Null)
    }

    /// False where the key is not there.
    pub fn flag(&self, key: &str) -> bool {
        self.value(key).as_bool().unwrap_or(false)
    }

    /// A key's value as a whole number, not negative. Refuses others, and a key that is not there.
    pub fn integer(&self, key: &str) -> Result<usize, AdapterError> {
        let value = self.value(key);
        let integer = value.as_u64().and_then(|n| usize::try_from(n).ok());
        integer.ok_or_else(|| AdapterError::unsupported(key, value, "a whole number"))
    }

    /// A key's value as a number. Refuses others, and a key that is not there.
    pub fn number(&self, key: &str) -> Result<f64, AdapterError> {
        self.value(key).as_f64().ok_or_else(|| AdapterError::unsupported(key, self.value(key), "a number"))
    }

    /// `num_virtual_tokens`. Refuses an adapter for a base of another width.
    pub fn virtual_tokens(&self) -> Result<usize, AdapterError> {
        let width = self.value("token_dim");
        if !width.is_null() && width.as_u64() != Some(self.model.hidden_size as u64) {
            let expected =
                format!("{}, the width of this base: the adapter was made for another", self.model.hidden_size);
            return Err(AdapterError::unsupported("token_dim", width, &expected));
        }
        self.integer("num_virtual_tokens")
    }

    /// A key's value as a list of names, one or more. PEFT writes a single one as a string.
    pub fn names(&self, key: &str) -> Result<Vec<String>, AdapterError> {
        let value = self.value(key);
        let names = match value {
            Value::String(name) => Some(vec![name.clone()]),
            Value::Array(items) => items.iter().map(|v| v.as_str().map(String::from)).collect(),
            _ => None,
        };
        names.filter(|n| !n.is_empty()).ok_or_else(|| AdapterError::unsupported(key, value, "a list of module names"))
    }

    /// `target_modules` in [`Target`]'s order.
    pub fn targets(&self) -> Result<Vec<Target>, AdapterError> {
        let names = self.names("target_modules")?;
        if let Some(other) = names.iter().find(|n| Target::from_module(n).is_none()) {
            let known = Target::ALL.map(Target::module).join(", ");
            return Err(AdapterError::unsupported("target_modules", &json!(other), &known));
        }
        Ok(Target::ALL.into_iter().filter(|t| names.iter().any(|n| n == t.module())).collect())
    }

    /// `layers_to_transform`.
    pub fn blocks(&self) -> Result<Blocks, AdapterError> {
        let value = self.value("layers_to_transform");
        let list = match value {
            Value::Null => return Ok(Blocks::default()),
            Value::Number(_) => vec![value.clone()],
            Value::Array(items) => items.clone(),
            _ => Vec::new(),
        };
        let blocks: Option<Vec<usize>> =
            list.iter().map(|v| v.as_u64().and_then(|n| usize::try_from(n).ok())).collect();
        let text = blocks.unwrap_or_default().iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        Blocks::parse(&text)
            .ok_or_else(|| AdapterError::unsupported("layers_to_transform", value, "null, a block or a list of blocks"))
    }
}
