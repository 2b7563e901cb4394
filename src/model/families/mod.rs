//! Families of models, each described in its folder. A new one is a folder, its `mod` and its place in the
//! list.

mod gpt2;
mod gpt_neox;
mod llama;
mod opt;
mod rope;

use super::files::TensorFileError;
use super::files::gguf::{Gguf, Settings, named};
use super::{Activation, ConfigKeys, Family, ModelConfig, ModelConfigError, ModulePath, RealModel, Sizes};
use crate::base::shorten;
#[cfg(feature = "train")]
use serde_json::Value;

/// Every family. In the first one the project's own bases are made, and φ is kept under its names on any
/// base.
static FAMILIES: [&Family; 7] =
    [&opt::FAMILY, &gpt2::FAMILY, &llama::LLAMA, &llama::MISTRAL, &llama::QWEN2, &llama::QWEN3, &gpt_neox::FAMILY];

/// The family of the project's own bases.
pub fn native() -> &'static Family {
    FAMILIES[0]
}

/// Every family that can be loaded.
pub fn all() -> impl Iterator<Item = &'static Family> {
    FAMILIES.into_iter()
}

/// The published models of all families.
pub fn real_models() -> impl Iterator<Item = &'static RealModel> {
    all().flat_map(|family| family.published)
}

impl RealModel {
    /// The published model of an id.
    pub fn named(id: &str) -> Option<&'static RealModel> {
        real_models().find(|model| model.id == id)
    }
}

impl ModulePath {
    /// The module's name in files of φ and in the ledger: that of the [native](native) family, on any base.
    pub fn key(self) -> String {
        native().key(self)
    }
}

impl ModelConfig {
    /// A model of the [native](native) family.
    pub fn native(sizes: Sizes, activation: Activation) -> ModelConfig {
        opt::config(sizes, activation)
    }

    /// What the family calls its parts.
    #[expect(clippy::expect_used, reason = "only a family makes a configuration, and writes its own name into it")]
    pub fn family(&self) -> &'static Family {
        all().find(|family| family.model_type == self.model_type).expect("a family has made every configuration")
    }

    /// Reads and checks a `config.json` of any family.
    pub fn from_json(text: &str) -> Result<Self, ModelConfigError> {
        let keys = ConfigKeys::read(text)?;
        let found = keys.text("model_type")?;
        let Some(family) = all().find(|family| found == Some(family.model_type)) else {
            let known = listed(all().map(|family| format!("\"{}\"", family.model_type)).collect());
            return Err(ModelConfigError::unsupported("model_type", found.unwrap_or("missing"), known));
        };
        keys.check_common()?;
        (family.read_config)(&keys)
    }

    /// A `config.json` of this model, as transformers reads it.
    #[cfg(feature = "train")]
    pub fn to_json(&self) -> Value {
        (self.family().write_config)(self)
    }
}

impl Gguf {
    /// The shape of the model, and the text of the `config.json` that says the same. The tensors are checked
    /// against it.
    ///
    /// # Errors
    /// The key or the tensor at fault, as the file calls it.
    pub fn model(&self) -> Result<(ModelConfig, String), TensorFileError> {
        let refused = |key: String, found: &str, expected: String| TensorFileError::GgufKey {
            file: self.file.clone(),
            key,
            found: shorten(found),
            expected,
        };
        let found = self.text("general.architecture");
        let forms = || all().filter_map(|family| Some((family, family.gguf.as_ref()?)));
        let Some((family, form)) = forms().find(|(_, form)| found == Some(form.architecture)) else {
            let known = listed(forms().map(|(_, form)| form.architecture.to_string()).collect());
            return Err(refused("general.architecture".into(), found.unwrap_or("missing"), known));
        };
        let settings = Settings::of(self, form, family.model_type)?;
        let json = settings.json();
        let config = ModelConfig::from_json(&json).map_err(|error| match error {
            ModelConfigError::Unsupported { key, found, expected } => refused(settings.said_by(key), &found, expected),
            ModelConfigError::Json(message) => TensorFileError::Gguf { file: self.file.clone(), message },
        })?;
        self.survey(&named(&config, form))?;
        Ok((config, json))
    }
}

/// `a, b and c`
fn listed(names: Vec<String>) -> String {
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
