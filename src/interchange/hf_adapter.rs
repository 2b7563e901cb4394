//! Adapters of Hugging Face PEFT: `adapter_config.json` and `adapter_model.safetensors`, written and read for every method that
//! PEFT has, with its keys and orientation (peft 0.21). What is a method's own stands in its folder
//! ([`AdapterFile`](crate::peft::AdapterFile)).

use super::adapter_base;
use super::phi_file::{StoredPhi, push_shared, read_shared, values};
use crate::base::{read, read_json};
use crate::config::RunConfig;
use crate::model::files::{Reader, TensorFileError, Writer, foreign};
use crate::model::{Model, ModelConfig};
use crate::peft::adapter_file::{OwnTensors, read_copies};
use crate::peft::{AdapterSettings, MethodConfig, Phi, Shape};
use serde_json::{Map, Value, json};

pub use crate::peft::AdapterError;
pub use crate::peft::adapter_file::{CONFIG_FILE, MODEL_FILE};

/// The two files.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterFiles {
    /// The text of `adapter_config.json`.
    pub config: String,
    /// The bytes of `adapter_model.safetensors`.
    pub weights: Vec<u8>,
}

impl AdapterFiles {
    /// The same for a base at this place.
    pub fn on(mut self, base: &str) -> AdapterFiles {
        if let Ok(Value::Object(mut json)) = serde_json::from_str(&self.config) {
            json.insert("base_model_name_or_path".into(), base.into());
            self.config = serde_json::to_string_pretty(&json).unwrap_or(self.config);
        }
        self
    }
}

/// `adapter_config.json` of a method on a base of this name; the reason where PEFT cannot hold it.
fn config_json(method: &MethodConfig, model: &ModelConfig, base: &str) -> Result<Value, AdapterError> {
    let mut json = json!({
        "base_model_name_or_path": base, "task_type": "CAUSAL_LM", "inference_mode": true,
        "auto_mapping": null, "revision": null, "modules_to_save": null,
    });
    if let (Value::Object(json), Value::Object(own)) = (&mut json, method.adapter_file().keys(model)?) {
        json.extend(own);
    }
    Ok(json)
}

/// A run's φ as PEFT writes it.
pub async fn export(config: &RunConfig, theta: &Model, phi: &Phi) -> Result<AdapterFiles, AdapterError> {
    if !config.also.is_empty() {
        let message = "A PEFT adapter holds one method: train the methods apart to export them, or save the run.";
        return Err(AdapterError::NotInPeft(message.into()));
    }
    write_adapter(&config.method, (theta, &config.shape()), &adapter_base::written(config.base), phi).await
}

/// A trained φ of one method as PEFT writes it, for θ of this shape. A reparameterised prompt or prefix is folded first.
pub async fn write_adapter(
    method: &MethodConfig,
    (theta, shape): (&Model, &Shape),
    base: &str,
    phi: &Phi,
) -> Result<AdapterFiles, AdapterError> {
    let json = config_json(method, &shape.model, base)?;
    let mut writer = Writer::default();
    let phi = phi.frozen();
    match method.adapter_file().folded(&phi) {
        Some(folded) => {
            let [n, w] = folded.dims();
            writer.push_floats("prompt_embeddings", &[n, w], &read(folded.reshape([n * w])).await?);
        }
        None => {
            let mut values = values(&phi).await?;
            for path in method.adapter_file().lengths_of_theta(&shape.model) {
                if let Some(matrix) = theta.weights.at(path).matrix {
                    let squares = matrix.val().powi_scalar(2).sum_dim(0);
                    let outputs = squares.dims()[1];
                    values.push(read(squares.sqrt().reshape([outputs])).await?);
                }
            }
            method.adapter_file().write(&mut writer, shape, &values);
        }
    }
    for part in phi.compositions() {
        if let Some(shared) = part.shared() {
            push_shared(&mut writer, shared).await?;
        }
    }
    let text = serde_json::to_string_pretty(&json).map_err(|e| AdapterError::Json(e.to_string()))?;
    Ok(AdapterFiles { config: text, weights: writer.finish() })
}

/// Reads an adapter for the base and task of `config`: the run it belongs to, and φ's values. Everything is checked before
/// anything is used.
pub fn import(config: &RunConfig, files: &AdapterFiles) -> Result<(RunConfig, StoredPhi), AdapterError> {
    let Adapter { method, also, phi } = read_adapter(files, &config.shape()).map_err(|error| {
        let of_shapes = match &error {
            AdapterError::Refused { key, .. } => ["target_modules", "layers_to_transform"].contains(&key.as_str()),
            AdapterError::Json(_) | AdapterError::Foreign(_) | AdapterError::Device(_) | AdapterError::NotInPeft(_) => {
                false
            }
            _ => true,
        };
        match adapter_base::told(&files.config, config.base).filter(|_| of_shapes) {
            Some(mismatch) => {
                let reason = error.to_string().trim_end_matches('.').into();
                AdapterError::OtherBase { reason, mismatch }
            }
            None => error,
        }
    })?;
    let config = RunConfig { method, also, lr: None, ..config.clone() };
    config.check().map_err(AdapterError::Fault)?;
    Ok((config, phi))
}

/// An adapter as this lab holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// The adapter's own method.
    pub method: MethodConfig,
    /// Those that hold what it brings along of θ: PEFT's `bias` and `modules_to_save`.
    pub also: Vec<MethodConfig>,
    /// Values of all of them, in this order.
    pub phi: StoredPhi,
}

impl Adapter {
    /// All methods.
    pub fn methods(&self) -> impl Iterator<Item = &MethodConfig> {
        std::iter::once(&self.method).chain(&self.also)
    }
}

/// Reads an adapter for a base of this shape.
pub fn read_adapter(files: &AdapterFiles, shape: &Shape) -> Result<Adapter, AdapterError> {
    let json: Map<String, Value> =
        read_json(&files.config).map_err(|fault| match foreign(CONFIG_FILE, files.config.as_bytes()) {
            Some(told) => AdapterError::Foreign(told),
            None => AdapterError::Json(fault),
        })?;
    let mut reader = Reader::new(MODEL_FILE, &files.weights)?;
    let tensors = reader.shapes();
    let settings = AdapterSettings { json: &json, model: &shape.model, tensors: &tensors };
    let method = read_settings(&settings)?;
    method.adapter_file().check_read(shape).map_err(AdapterError::Fault)?;
    let own = OwnTensors::found(&settings)?;
    let also = MethodConfig::beside(&own);
    own.check_held(&settings, &also.iter().map(MethodConfig::method).collect::<Vec<_>>())?;
    let mut values = method.adapter_file().read(&settings, &mut reader, shape)?;
    for beside in &also {
        values.extend(read_copies(beside.method(), &settings, &mut reader)?);
    }
    let shared = read_shared(&mut reader, std::iter::once(&method), shape)?;
    reader.finish().map_err(|error| match error {
        TensorFileError::Unexpected { key, .. } => AdapterError::Elsewhere { key },
        other => other.into(),
    })?;
    Ok(Adapter { method, also, phi: StoredPhi { values, scores: None, shared } })
}

/// The method of an `adapter_config.json`.
fn read_settings(settings: &AdapterSettings<'_>) -> Result<MethodConfig, AdapterError> {
    let Some(method) = MethodConfig::from_adapter(settings) else {
        let known = peft_types(settings.model).join(", ");
        return Err(AdapterError::unsupported("peft_type", settings.value("peft_type"), &known));
    };
    let method = method?;
    // The limits of knobs are those of the page.
    for knob in method.info().knobs {
        if let Some(value) = method.get(knob.name) {
            knob.parse(&value).map_err(AdapterError::Fault)?;
        }
    }
    Ok(method)
}

/// The types of adapters that some method reads, each once.
fn peft_types(model: &ModelConfig) -> Vec<String> {
    let mut types = Vec::new();
    for method in MethodConfig::all() {
        let keys = method.adapter_file().keys(model).ok();
        if let Some(name) = keys.and_then(|keys| keys["peft_type"].as_str().map(String::from))
            && !types.contains(&name)
        {
            types.push(name);
        }
    }
    types
}
