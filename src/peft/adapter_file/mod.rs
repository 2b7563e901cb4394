//! A method's file in Hugging Face PEFT: its keys of `adapter_config.json`, and its tensors (peft 0.21).

mod choice;
mod error;
pub mod joined;
mod keys;
mod low_rank;
mod own_tensors;
mod pattern;
mod places;
mod settings;

pub use choice::Choice;
pub use error::{AdapterError, Way, merge_it};
pub use keys::{Key, of_type};
pub use low_rank::LowRank;
pub use own_tensors::{OwnTensors, Values, read_copies};
pub use pattern::{Unread, pattern};
pub use places::{Part, Places};
pub use settings::AdapterSettings;

use super::{Blocks, Method, Shape};
use crate::base::Fault;
use crate::model::files::{Reader, Writer};
use crate::model::{Compositions, ModelConfig, ModulePath, Target, TensorInfo};
use burn::tensor::Tensor;
use serde_json::{Value, json};

pub use super::adapter_names::{CONFIG_FILE, MODEL_FILE};

/// The keys of A and B that all blocks share.
pub const SHARED_PAIR: [&str; 2] = ["base_model.vera_A", "base_model.vera_B"];

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

    /// Matrices of θ that the file needs besides φ: of each the lengths of its columns, one for each output.
    fn lengths_of_theta(&self, _model: &ModelConfig) -> Vec<ModulePath> {
        Vec::new()
    }

    /// Adds φ's tensors to a file. `values` are in φ's order, and behind them
    /// [`lengths_of_theta`](Self::lengths_of_theta).
    fn write(&self, writer: &mut Writer, shape: &Shape, values: &[Vec<f32>]) {
        write_tensors(self, writer, shape, values);
    }

    /// φ's values from a file, in φ's order. What the file leaves out stays as it starts, where it changes nothing.
    fn read(
        &self,
        _settings: &AdapterSettings<'_>,
        reader: &mut Reader<'_>,
        shape: &Shape,
    ) -> Result<Values, AdapterError> {
        Ok(read_tensors(self, reader, shape)?.into_iter().map(Some).collect())
    }

    /// The method with copies of tensors of θ that an adapter of another method brings along; `None` where it holds
    /// none of them. PEFT calls them `bias` and `modules_to_save`.
    fn beside(_own: &OwnTensors) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// Adds φ's tensors under PEFT's keys.
pub fn write_tensors(method: &(impl Method + ?Sized), writer: &mut Writer, shape: &Shape, values: &[Vec<f32>]) {
    for (info, values) in method.tensors(shape).iter().zip(values) {
        writer.push(key(info, &shape.model), info, values);
    }
}

/// The values of φ's tensors under PEFT's keys.
pub fn read_tensors(
    method: &(impl Method + ?Sized),
    reader: &mut Reader<'_>,
    shape: &Shape,
) -> Result<Vec<Vec<f32>>, AdapterError> {
    let infos = method.tensors(shape);
    Ok(infos.iter().map(|info| reader.tensor(&key(info, &shape.model), info)).collect::<Result<_, _>>()?)
}

/// PEFT's key of one of φ's tensors: a module of θ has its family's name there.
fn key(info: &TensorInfo, model: &ModelConfig) -> String {
    let inside = |path: ModulePath| {
        let rest = info.name.strip_prefix(&path.key())?.strip_prefix('.')?;
        Some(format!("{}.{rest}", model.family().peft_key(path)))
    };
    ModulePath::all(model).find_map(inside).unwrap_or_else(|| info.name.clone())
}

/// Why a method has no file there.
pub fn not_in_peft(method: &dyn Method) -> AdapterError {
    AdapterError::NotInPeft(format!("PEFT has no file for {}: save the run, which holds φ too.", method.info().title))
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

/// Module names of chosen targets, all the same in every block, as PEFT's `target_modules` has them on this base.
pub fn modules(targets: &[Target], model: &ModelConfig) -> Value {
    targets.iter().filter_map(|target| model.family().module(*target)).map(|module| module.peft).collect()
}

/// `layers_to_transform`: null for all blocks.
pub fn blocks_to_transform(blocks: &Blocks, model: &ModelConfig) -> Value {
    if blocks.is_all() { Value::Null } else { json!(blocks.list(model.num_hidden_layers)) }
}

/// Keys of every method with virtual tokens, each so wide.
pub fn virtual_tokens(n: usize, width: usize, model: &ModelConfig) -> Value {
    let heads = if width == model.hidden_size { model.num_attention_heads } else { model.num_key_value_heads };
    json!({"num_virtual_tokens": n, "token_dim": width, "num_layers": model.num_hidden_layers,
           "num_attention_heads": heads, "num_transformer_submodules": 1})
}
