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
    /// x·σ(x), of gated MLPs only.
    #[serde(rename = "silu")]
    Silu,
}

impl Activation {
    /// transformers' names (`ACT2FN`) of the functions, the first of each as it is written. What is
    /// listed for one function differs by less than 1e-6: in the order of operations, or a constant's digits.
    /// `gelu_10` is none of them: it is cut at ±10.
    const NAMES: [(Activation, &'static [&'static str]); 4] = [
        (Activation::Relu, &["relu"]),
        (Activation::GeluNew, &["gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate"]),
        (Activation::Gelu, &["gelu", "gelu_python"]),
        (Activation::Silu, &["silu", "swish"]),
    ];

    /// What a plain MLP may be computed with.
    pub const PLAIN: [Activation; 3] = [Activation::Relu, Activation::GeluNew, Activation::Gelu];

    /// The function of any of transformers' names.
    pub fn named(name: &str) -> Option<Activation> {
        Self::NAMES.into_iter().find(|(_, names)| names.contains(&name)).map(|(activation, _)| activation)
    }

    /// Every name of some functions.
    pub fn names(of: &[Activation]) -> Vec<&'static str> {
        let known = Self::NAMES.into_iter().filter(|(activation, _)| of.contains(activation));
        known.flat_map(|(_, names)| names.iter().copied()).collect()
    }

    /// The name a reader knows.
    pub fn title(self) -> &'static str {
        match self {
            Activation::Relu => "ReLU",
            Activation::GeluNew => "GELU (tanh)",
            Activation::Gelu => "GELU",
            Activation::Silu => "SiLU",
        }
    }
}

/// How a model knows where a token stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Positions {
    /// A learned vector is added to each token.
    Learned {
        /// Rows in front of the table that no token uses.
        unused_rows: usize,
    },
    /// Queries and keys are turned (Su et al. 2021): the pair (i, i + dims/2) of each head by position ·
    /// base^(−2i/dims).
    Rotary {
        /// `rope_theta`
        base: f64,
        /// The first so many numbers of a head are turned; even.
        dims: usize,
    },
}

/// How rows are normalised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm {
    /// By what.
    pub kind: NormKind,
    /// Added under the root.
    pub epsilon: f64,
}

/// By what rows are normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormKind {
    /// LayerNorm (Ba et al. 2016): mean and deviation; scale and bias.
    Layer,
    /// RMSNorm (Zhang and Sennrich 2019): the root of the mean square; a scale alone.
    Root,
}

impl NormKind {
    /// What a person calls it.
    pub fn title(self) -> &'static str {
        match self {
            NormKind::Layer => "LayerNorm",
            NormKind::Root => "RMSNorm",
        }
    }
}

/// Which linear layers of a block have a bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Biases {
    /// W_Q, W_K, W_V.
    pub inputs: bool,
    /// W_O.
    pub output: bool,
    /// The MLP's matrices.
    pub mlp: bool,
}

impl Biases {
    /// Every linear layer has one, or none has.
    pub const fn all(there: bool) -> Biases {
        Biases { inputs: there, output: there, mlp: there }
    }
}

/// Shape of a model of any family. Numbers stand here; names of modules and files say
/// [`family`](Self::family).
///
/// The fields' names are those of Hugging Face's OPT. A family makes a configuration, and fills in what is
/// the same for all of its models.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// The family's name in `config.json`.
    pub model_type: &'static str,
    /// Tokens of the vocabulary, the rows of the head.
    pub vocab_size: usize,
    /// Positions the model was trained on.
    pub max_position_embeddings: usize,
    /// `d_model`.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub ffn_dim: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Heads of queries.
    pub num_attention_heads: usize,
    /// Heads of keys and values, a divisor of the heads of queries: each serves several (Ainslie et al. 2023).
    pub num_key_value_heads: usize,
    /// Width of one head.
    pub head_dim: usize,
    /// Inside the MLP.
    pub activation_function: Activation,
    /// Whether the MLP is W₂(act(W_gate x) ⊙ W₁x) (Shazeer 2020); else W₂ act(W₁x).
    pub gated: bool,
    /// How a token's place is known.
    pub positions: Positions,
    /// In front of attention, of the MLP and of the head.
    pub norm: Norm,
    /// Whether every head of queries and keys is normalised, by an RMSNorm of its own width, before it is turned.
    pub normed_heads: bool,
    /// Which linear layers have a bias.
    pub biases: Biases,
    /// Whether attention and MLP read the same x and are added together; else one after the other.
    pub parallel_residual: bool,
    /// Whether the head is the token embedding.
    pub tied: bool,
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
    /// Heads of queries.
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
        let [.., heads] = keys;
        if self.num_key_value_heads == 0 || !self.num_attention_heads.is_multiple_of(self.num_key_value_heads) {
            let known = format!("a divisor of {heads}, {}", self.num_attention_heads);
            return Err(ModelConfigError::unsupported("num_key_value_heads", self.num_key_value_heads, known));
        }
        let even = !matches!(self.positions, Positions::Rotary { .. }) || self.head_dim.is_multiple_of(2);
        if self.head_dim == 0 || self.head_dim > 1 << 20 || !even {
            return Err(ModelConfigError::unsupported("head_dim", self.head_dim, "an even width of a head"));
        }
        Ok(self)
    }

    /// The width of a head that is not named: an equal share of the width, which the heads must divide.
    pub fn share_of_width(
        (width, hidden_size): (&'static str, usize),
        (heads, num_attention_heads): (&'static str, usize),
    ) -> Result<usize, ModelConfigError> {
        match hidden_size.checked_rem(num_attention_heads) {
            Some(0) => Ok(hidden_size / num_attention_heads),
            // No heads: `checked` says so.
            None => Ok(0),
            Some(_) => Err(ModelConfigError::unsupported(width, hidden_size, format!("a multiple of {heads}"))),
        }
    }

    /// Rows of the position table, 0 where positions are not learned.
    pub fn position_rows(&self) -> usize {
        match self.positions {
            Positions::Learned { unused_rows } => self.max_position_embeddings + unused_rows,
            Positions::Rotary { .. } => 0,
        }
    }

    /// Width of all heads of queries side by side: what W_Q gives and W_O reads.
    pub fn query_width(&self) -> usize {
        self.num_attention_heads * self.head_dim
    }

    /// Width of all heads of keys, or of values, side by side.
    pub fn key_value_width(&self) -> usize {
        self.num_key_value_heads * self.head_dim
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
