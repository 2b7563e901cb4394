//! Bases ready to train: read once, shared by every run.

use super::{Failure, FailureReason};
use crate::model::{Base, Model, ModelConfig};
use crate::task::Authors;
use crate::task::tokenizer::Tokenizer;
use burn::tensor::Device;
use std::future::Future;

/// Where files come from: a disk natively, `fetch` in the browser.
pub trait Files {
    /// The whole of a file by its logical name (`models/rules/config.json`). The error is a sentence.
    fn read(&self, name: &str) -> impl Future<Output = Result<Vec<u8>, String>>;
}

/// A base with its tokenizer.
pub struct LoadedBase {
    pub base: &'static Base,
    pub theta: Model,
    pub tokenizer: Tokenizer,
}

impl LoadedBase {
    /// Reads `config.json`, `model.safetensors` and `tokenizer.json` and checks them against each other.
    pub async fn load(base: &'static Base, files: &impl Files, device: &Device) -> Result<LoadedBase, Failure> {
        let name = |file: &str| format!("models/{}/{file}", base.id);
        let config = text(files, &name("config.json")).await?;
        let weights = files.read(&name("model.safetensors")).await.map_err(load_failure)?;
        let tokenizer = text(files, &name("tokenizer.json")).await?;
        let broken = |e: String| load_failure(format!("The base {} cannot be used: {e}.", base.id));
        let config = ModelConfig::from_json(&config).map_err(|e| broken(e.to_string()))?;
        let tokenizer = Tokenizer::from_json(&tokenizer).map_err(|e| broken(e.to_string()))?;
        if tokenizer.vocab_size() > config.vocab_size {
            return Err(broken(format!(
                "tokenizer.json has {} tokens, config.json says vocab_size {}",
                tokenizer.vocab_size(),
                config.vocab_size
            )));
        }
        let theta = Model::load(config, &weights, device).map_err(|e| broken(e.to_string()))?;
        Ok(LoadedBase { base, theta, tokenizer })
    }
}

/// Reads `data/authors.json`.
pub async fn load_authors(files: &impl Files) -> Result<Authors, Failure> {
    let json = text(files, "data/authors.json").await?;
    Authors::from_json(&json)
        .map_err(|e| load_failure(format!("The sentences of the task authors cannot be used: {e}.")))
}

async fn text(files: &impl Files, name: &str) -> Result<String, Failure> {
    let bytes = files.read(name).await.map_err(load_failure)?;
    String::from_utf8(bytes).map_err(|_| load_failure(format!("{name} is not text.")))
}

fn load_failure(message: String) -> Failure {
    Failure { reason: FailureReason::Load, message }
}
