//! Metadata as the keys of a `config.json`.
//!
//! llama.cpp calls the same sizes by the same keys in every architecture, behind its name. A family says which of
//! them its `config.json` has, and reads them there: defaults and refusals stand in one place.

use super::header::Gguf;
use super::metadata::{List, Value};
use crate::base::shorten;
use crate::model::files::TensorFileError;
use serde_json::{Map, Value as Json};

/// How the models of a family stand in GGUF.
#[derive(Debug)]
pub struct GgufForm {
    /// `general.architecture`
    pub architecture: &'static str,
    /// Says the metadata in keys of the family's `config.json`.
    pub config: fn(&mut Settings<'_>) -> Result<(), TensorFileError>,
    /// Whether the rows of W_Q and W_K lie as llama.cpp turns them: the two halves of a head in turns.
    pub turned: bool,
    /// Whether transformers reads these files; else what a visitor reads in the place of a Python script.
    pub in_python: Result<(), &'static str>,
}

/// Metadata on their way into a `config.json`.
pub struct Settings<'a> {
    gguf: &'a Gguf,
    architecture: &'static str,
    keys: Map<String, Json>,
    /// From a key of the configuration to what said it in the file.
    from: Vec<(&'static str, String)>,
}

/// Keys that change what is computed unless they have the value beside them, and what is known in their place.
const NEUTRAL: [(&str, f64, &str); 9] = [
    ("expert_count", 0.0, "0: a mixture of experts has no place in this lab"),
    ("attention.clamp_kqv", 0.0, "0: queries, keys and values are not clamped here"),
    ("attention.max_alibi_bias", 0.0, "0: positions are no biases of scores here"),
    ("attention.scale", 0.0, "0: scores are divided by the root of a head's width here"),
    ("attn_logit_softcapping", 0.0, "0: scores are not capped here"),
    ("final_logit_softcapping", 0.0, "0: logits are not capped here"),
    ("logit_scale", 1.0, "1: logits are not scaled here"),
    ("embedding_scale", 1.0, "1: embeddings are not scaled here"),
    ("residual_scale", 1.0, "1: sub-layers are not scaled here"),
];

/// Tensors that scale the angles of rotary positions.
const SCALED: [&str; 3] = ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"];

impl<'a> Settings<'a> {
    /// The keys of a `config.json` of this form, with what is the same in all. Refuses what no family here
    /// computes.
    pub fn of(gguf: &'a Gguf, form: &GgufForm, model_type: &'static str) -> Result<Settings<'a>, TensorFileError> {
        let (architecture, from) = (form.architecture, vec![("model_type", "general.architecture".into())]);
        let mut settings = Settings { gguf, architecture, keys: Map::new(), from };
        settings.keys.insert("model_type".into(), model_type.into());
        if let Some(name) = gguf.text("general.name") {
            settings.keys.insert("_name_or_path".into(), name.into());
        }
        settings.refuse_other_models()?;
        let size = settings.size("vocab_size")?.or(settings.tokens());
        let size = size.ok_or_else(|| settings.missing("vocab_size", "the size of the vocabulary"))?;
        settings.put("vocab_size", "vocab_size", size);
        settings.scaling()?;
        (form.config)(&mut settings)?;
        Ok(settings)
    }

    /// The text of the `config.json`.
    pub fn json(&self) -> String {
        Json::Object(self.keys.clone()).to_string()
    }

    /// The key of the file that said a key of the configuration.
    pub fn said_by(&self, key: &str) -> String {
        let said = self.from.iter().rev().find(|(of, _)| *of == key);
        said.map_or_else(|| format!("{}.{key}", self.architecture), |(_, from)| from.clone())
    }

    /// A size that every file of the architecture has, under its key in the configuration.
    pub fn copy(&mut self, key: &str, as_key: &'static str) -> Result<(), TensorFileError> {
        let size = self.size(key)?.ok_or_else(|| self.missing(key, "a size that has no default"))?;
        self.put(as_key, key, size);
        Ok(())
    }

    /// How many tokens the model was trained to see: the context, or a window that is smaller.
    pub fn context(&mut self, as_key: &'static str) -> Result<(), TensorFileError> {
        self.copy("context_length", as_key)?;
        // Within its window a token sees all before it: no text here is longer than that.
        let (context, window) = (self.size("context_length")?, self.size("attention.sliding_window")?);
        if let (Some(context), Some(window)) = (context, window.filter(|window| *window > 0))
            && window < context
        {
            self.put(as_key, "attention.sliding_window", window);
        }
        Ok(())
    }

    /// A number that every file of the architecture has.
    pub fn copy_number(&mut self, key: &str, as_key: &'static str) -> Result<(), TensorFileError> {
        let number = self.number(key)?.ok_or_else(|| self.missing(key, "a number that has no default"))?;
        self.put(as_key, key, number);
        Ok(())
    }

    /// A number, left out where the file leaves it out.
    pub fn copy_if_there(&mut self, key: &str, as_key: &'static str) -> Result<(), TensorFileError> {
        if let Some(number) = self.number(key)? {
            self.put(as_key, key, number);
        }
        Ok(())
    }

    /// A flag, left out where the file leaves it out.
    pub fn copy_flag(&mut self, key: &str, as_key: &'static str) -> Result<(), TensorFileError> {
        match self.value(key) {
            None => Ok(()),
            Some(Value::Flag(flag)) => {
                self.put(as_key, key, *flag);
                Ok(())
            }
            Some(other) => Err(self.refused(key, other, "true or false")),
        }
    }

    /// A key of the configuration, and the key behind the architecture's name that says it.
    pub fn put(&mut self, as_key: &'static str, key: &str, value: impl Into<Json>) {
        self.from.push((as_key, format!("{}.{key}", self.architecture)));
        self.keys.insert(as_key.into(), value.into());
    }

    /// A flag that is whether the file has a tensor.
    pub fn told_by(&mut self, tensor: &str, as_key: &'static str) {
        self.from.push((as_key, tensor.into()));
        self.keys.insert(as_key.into(), self.gguf.tensors.contains_key(tensor).into());
    }

    /// Whether the head is the token embedding: a file without a head's matrix says so.
    pub fn tied(&mut self, as_key: &'static str) {
        self.from.push((as_key, "output.weight".into()));
        self.keys.insert(as_key.into(), (!self.gguf.tensors.contains_key("output.weight")).into());
    }

    /// A size, one for all blocks.
    pub fn size(&self, key: &str) -> Result<Option<usize>, TensorFileError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::List(List::Integers(all))) => match all.first().filter(|first| all.iter().all(|n| n == *first))
            {
                Some(n) if *n >= 0 => Ok(usize::try_from(*n).ok()),
                _ => Err(self.refused(key, &Value::List(List::Integers(all.clone())), "one size for all blocks")),
            },
            Some(value) => value.size().map(Some).ok_or_else(|| self.refused(key, value, "a size")),
        }
    }

    /// A number.
    pub fn number(&self, key: &str) -> Result<Option<f64>, TensorFileError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Float(x)) if x.is_finite() => Ok(Some(*x)),
            Some(Value::Integer(n)) => Ok(Some(*n as f64)),
            Some(other) => Err(self.refused(key, other, "a number")),
        }
    }

    /// Refuses the value of a key behind the architecture's name.
    pub fn refused(&self, key: &str, found: &Value, expected: impl Into<String>) -> TensorFileError {
        self.fault(format!("{}.{key}", self.architecture), &found.shown(), expected.into())
    }

    fn missing(&self, key: &str, what: &str) -> TensorFileError {
        self.fault(format!("{}.{key}", self.architecture), "missing", format!("{what}: convert the model again"))
    }

    fn fault(&self, key: String, found: &str, expected: String) -> TensorFileError {
        TensorFileError::GgufKey { file: self.gguf.file.clone(), key, found: shorten(found), expected }
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.gguf.metadata.get(&format!("{}.{key}", self.architecture))
    }

    /// How many tokens the file's tokenizer has.
    fn tokens(&self) -> Option<usize> {
        match self.gguf.metadata.get("tokenizer.ggml.tokens") {
            Some(Value::List(List::Texts(tokens))) => Some(tokens.len()),
            _ => None,
        }
    }

    fn refuse_other_models(&self) -> Result<(), TensorFileError> {
        if let Some(count) = self.gguf.metadata.get("split.count").filter(|n| n.size().is_none_or(|n| n > 1)) {
            let known = "1: llama-gguf-split --merge first.gguf whole.gguf makes one file of all".into();
            return Err(self.fault("split.count".into(), &count.shown(), known));
        }
        for (key, neutral, known) in NEUTRAL {
            if let Some(found) = self.number(key)?.filter(|found| *found != neutral) {
                return Err(self.refused(key, &Value::Float(found), known));
            }
        }
        match self.value("attention.causal") {
            None | Some(Value::Flag(true)) => Ok(()),
            Some(other) => Err(self.refused("attention.causal", other, "true: a token sees those before it here")),
        }
    }

    /// Angles that are scaled, as `rope_scaling` has them: the family refuses those.
    fn scaling(&mut self) -> Result<(), TensorFileError> {
        if let Some(tensor) = SCALED.into_iter().find(|tensor| self.gguf.tensors.contains_key(*tensor)) {
            self.from.push(("rope_scaling", tensor.into()));
            self.keys.insert("rope_scaling".into(), serde_json::json!({"rope_type": "a scale of each angle"}));
            return Ok(());
        }
        let factor = ["rope.scaling.factor", "rope.scale_linear"].into_iter();
        for key in factor {
            // Where there is no type llama.cpp takes it for linear.
            let unnamed = self.value("rope.scaling.type").is_none();
            if let Some(found) = self.number(key)?.filter(|x| unnamed && *x != 0.0 && *x != 1.0) {
                return Err(self.refused(key, &Value::Float(found), "1: angles are not scaled here"));
            }
        }
        match self.value("rope.scaling.type") {
            None => {}
            Some(Value::Text(kind)) if kind == "none" => {}
            Some(value) => {
                let kind = value.shown();
                self.put("rope_scaling", "rope.scaling.type", serde_json::json!({ "rope_type": kind }));
            }
        }
        Ok(())
    }
}
