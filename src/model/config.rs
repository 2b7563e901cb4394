//! The shape of a model: what the forward pass, the counts and the ledger ask.

use crate::base::shorten;
use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// Non-linearity of the feed-forward layer, under Hugging Face's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// max(0, x)
    #[serde(rename = "relu")]
    Relu,
    /// GELU by its tanh approximation, as GPT-2 has it.
    #[serde(rename = "gelu_new")]
    GeluNew,
    /// GELU by the error function (Hendrycks and Gimpel 2016).
    #[serde(rename = "gelu")]
    Gelu,
}

impl Activation {
    /// transformers' names (`ACT2FN`) of the three functions, the first of each as it is written. What is
    /// listed for one function differs by less than 1e-6: in the order of operations, or a constant's digits.
    /// `gelu_10` is none of them: it is cut at ±10.
    const NAMES: [(Activation, &'static [&'static str]); 3] = [
        (Activation::Relu, &["relu"]),
        (Activation::GeluNew, &["gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate"]),
        (Activation::Gelu, &["gelu", "gelu_python"]),
    ];

    /// The function of any of transformers' names.
    pub fn named(name: &str) -> Option<Activation> {
        Self::NAMES.into_iter().find(|(_, names)| names.contains(&name)).map(|(activation, _)| activation)
    }

    /// Every name that is read.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().flat_map(|(_, names)| names.iter().copied())
    }

    /// The name a reader knows.
    pub fn title(self) -> &'static str {
        match self {
            Activation::Relu => "ReLU",
            Activation::GeluNew => "GELU (tanh)",
            Activation::Gelu => "GELU",
        }
    }
}

/// Shape of a model of any family. Numbers stand here; names of modules and files say
/// [`family`](Self::family).
///
/// The fields' names are those of Hugging Face's OPT. A family makes a configuration, and fills in what is
/// the same for all of its models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelConfig {
    /// The family's name in `config.json`.
    pub model_type: &'static str,
    /// Tokens of the vocabulary, the rows of the tied head.
    pub vocab_size: usize,
    /// Positions the model was trained on; its table holds [`position_offset`](Self::position_offset) rows
    /// more.
    pub max_position_embeddings: usize,
    /// Rows in front of the position table that no token uses.
    pub position_offset: usize,
    /// `d_model`.
    pub hidden_size: usize,
    /// Width between the two matrices of the MLP.
    pub ffn_dim: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Heads of attention, of [`head_dim`](Self::head_dim) each.
    pub num_attention_heads: usize,
    /// Between the two matrices of the MLP.
    pub activation_function: Activation,
}

/// The sizes in which models of a family differ, under the names of [`ModelConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Positions the model was trained on.
    pub max_position_embeddings: usize,
    /// `d_model`.
    pub hidden_size: usize,
    /// Width between the two matrices of the MLP.
    pub ffn_dim: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Heads of attention; they divide the width.
    pub num_attention_heads: usize,
}

/// Why a `config.json` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelConfigError {
    /// It is no JSON, or no object; where, or what it is.
    #[error("config.json is not readable: {0}")]
    Json(String),
    /// A key has a value that would change what is computed.
    #[error("config.json: {key} is {found}, this loader knows {expected}")]
    Unsupported {
        /// The key in the file.
        key: &'static str,
        /// Its value there.
        found: String,
        /// The values that are read.
        expected: String,
    },
}

impl ModelConfigError {
    /// A key whose value would change what is computed.
    pub fn unsupported(key: &'static str, found: impl Display, expected: impl Into<String>) -> Self {
        ModelConfigError::Unsupported { key, found: shorten(&found.to_string()), expected: expected.into() }
    }
}

impl ModelConfig {
    /// Refuses sizes that no model has. `keys` are what the family's `config.json` calls the fields of
    /// [`Sizes`], in their order.
    pub fn checked(self, keys: [&'static str; 6]) -> Result<Self, ModelConfigError> {
        let sizes = [
            self.vocab_size,
            self.max_position_embeddings,
            self.hidden_size,
            self.ffn_dim,
            self.num_hidden_layers,
            self.num_attention_heads,
        ];
        for (key, size) in keys.into_iter().zip(sizes) {
            if size == 0 || size > 1 << 20 {
                return Err(ModelConfigError::unsupported(key, size, "a size from 1 to 1048576"));
            }
        }
        let [_, _, width, _, _, heads] = keys;
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(ModelConfigError::unsupported(width, self.hidden_size, format!("a multiple of {heads}")));
        }
        Ok(self)
    }

    /// Rows of the position table.
    pub fn position_rows(&self) -> usize {
        self.max_position_embeddings + self.position_offset
    }

    /// Width of one attention head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Parameters of one block: four projections, two LayerNorms, the feed-forward layer.
    pub fn block_parameters(&self) -> u64 {
        let (d, f) = (self.hidden_size as u64, self.ffn_dim as u64);
        4 * (d * d + d) + 2 * (2 * d) + (d * f + f) + (f * d + d)
    }

    /// All parameters as Hugging Face counts them: the tied head once, the unused rows of the position table
    /// included.
    pub fn parameters(&self) -> u64 {
        let (rows, d) = ((self.vocab_size + self.position_rows()) as u64, self.hidden_size as u64);
        rows * d + self.num_hidden_layers as u64 * self.block_parameters() + 2 * d
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(name: &str) -> String {
        std::fs::read_to_string(format!("{}/www/models/{name}/config.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn shipped_bases_count_as_their_cards_say() {
        for (name, parameters) in
            [("rules", 205_568), ("prose-nano", 273_920), ("prose-micro", 941_056), ("prose-small", 3_454_976)]
        {
            assert_eq!(ModelConfig::from_json(&json(name)).unwrap().parameters(), parameters, "{name}");
        }
    }
}
