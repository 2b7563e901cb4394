//! The shape of a base: Hugging Face's `config.json` for `model_type: opt`, and for `gpt2` in the same terms.

use serde::{Deserialize, Serialize};

/// Non-linearity of the feed-forward layer, under Hugging Face's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    #[serde(rename = "relu")]
    Relu,
    /// GELU by its tanh approximation, as GPT-2 has it.
    #[serde(rename = "gelu_new")]
    GeluNew,
    /// GELU by the error function.
    #[serde(rename = "gelu")]
    Gelu,
}

impl Activation {
    /// The name a reader knows.
    pub fn title(self) -> &'static str {
        match self {
            Activation::Relu => "ReLU",
            Activation::GeluNew => "GELU (tanh)",
            Activation::Gelu => "GELU",
        }
    }
}

/// Shape of an OPT model, or of a GPT-2 model told in OPT's terms. Field names are Hugging Face's, so OPT's `config.json` reads
/// as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelConfig {
    pub model_type: String,
    pub vocab_size: usize,
    /// Positions the model was trained on; its table holds [`position_offset`](Self::position_offset) rows more.
    pub max_position_embeddings: usize,
    /// `d_model`.
    pub hidden_size: usize,
    pub ffn_dim: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub activation_function: Activation,
    pub do_layer_norm_before: bool,
    pub tie_word_embeddings: bool,
    #[serde(default)]
    pub word_embed_proj_dim: Option<usize>,
}

/// Why a `config.json` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelConfigError {
    #[error("config.json is not readable: {0}")]
    Json(String),
    #[error("config.json: {key} is {found}, this loader knows {expected}")]
    Unsupported { key: &'static str, found: String, expected: &'static str },
}

impl ModelConfig {
    /// Rows in front of the position table that no token uses: OPT has two.
    pub fn position_offset(&self) -> usize {
        if self.is_gpt2() { 0 } else { 2 }
    }

    /// Rows of the position table.
    pub fn position_rows(&self) -> usize {
        self.max_position_embeddings + self.position_offset()
    }

    /// Whether W_Q, W_K, W_V stand in one matrix in the checkpoint (`c_attn`), and modules have GPT-2's names.
    pub fn is_gpt2(&self) -> bool {
        self.model_type == GPT2
    }

    /// Reads and checks a `config.json`.
    pub fn from_json(text: &str) -> Result<Self, ModelConfigError> {
        let json = |e: serde_json::Error| ModelConfigError::Json(e.to_string());
        let value: serde_json::Value = serde_json::from_str(text).map_err(json)?;
        let config: ModelConfig = match value["model_type"].as_str() {
            Some(GPT2) => serde_json::from_value::<Gpt2Config>(value).map_err(json)?.try_into()?,
            _ => serde_json::from_value(value).map_err(json)?,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ModelConfigError> {
        let refuse = |key, found: String, expected| Err(ModelConfigError::Unsupported { key, found, expected });
        if self.model_type != "opt" && !self.is_gpt2() {
            return refuse("model_type", self.model_type.clone(), "\"opt\" and \"gpt2\"");
        }
        if !self.do_layer_norm_before {
            return refuse("do_layer_norm_before", "false".into(), "true (pre-LayerNorm)");
        }
        if !self.tie_word_embeddings {
            return refuse("tie_word_embeddings", "false".into(), "true");
        }
        if self.word_embed_proj_dim.is_some_and(|d| d != self.hidden_size) {
            return refuse("word_embed_proj_dim", format!("{:?}", self.word_embed_proj_dim), "hidden_size");
        }
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("hidden_size", self.hidden_size),
            ("ffn_dim", self.ffn_dim),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
        ];
        for (key, size) in sizes {
            if size == 0 || size > 1 << 20 {
                return refuse(key, size.to_string(), "a size from 1 to 1048576");
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return refuse("hidden_size", self.hidden_size.to_string(), "a multiple of num_attention_heads");
        }
        Ok(())
    }

    /// Floating-point operations of a forward pass over `tokens`, two for a multiplication with its addition: matrices, attention
    /// over the tokens before each, and the head at `predicted` places. Norms and activations are left out: below 2 %.
    pub fn forward_flops(&self, tokens: f64, predicted: f64) -> f64 {
        let (d, f) = (self.hidden_size as f64, self.ffn_dim as f64);
        let matrices = 2.0 * tokens * (4.0 * d * d + 2.0 * d * f);
        // A token meets itself and all before it: scores and mixed values.
        let attention = 2.0 * tokens * (tokens + 1.0) * d;
        self.num_hidden_layers as f64 * (matrices + attention) + 2.0 * predicted * self.vocab_size as f64 * d
    }

    /// Width of one attention head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Parameters of one block: four projections, two LayerNorms, the feed-forward layer.
    pub fn block_parameters(&self) -> usize {
        let (d, f) = (self.hidden_size, self.ffn_dim);
        4 * (d * d + d) + 2 * (2 * d) + (d * f + f) + (f * d + d)
    }

    /// All parameters as Hugging Face counts them: the tied head once, the two offset rows of the position table included.
    pub fn parameters(&self) -> usize {
        let d = self.hidden_size;
        self.vocab_size * d + self.position_rows() * d + self.num_hidden_layers * self.block_parameters() + 2 * d
    }
}

const GPT2: &str = "gpt2";

/// GPT-2's `config.json`.
#[derive(Deserialize)]
struct Gpt2Config {
    vocab_size: usize,
    n_positions: usize,
    n_embd: usize,
    n_layer: usize,
    n_head: usize,
    #[serde(default)]
    n_inner: Option<usize>,
    #[serde(default = "gelu_new")]
    activation_function: Activation,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
    #[serde(default = "yes")]
    scale_attn_weights: bool,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    #[serde(default)]
    add_cross_attention: bool,
    #[serde(default = "epsilon")]
    layer_norm_epsilon: f64,
}

fn yes() -> bool {
    true
}

fn gelu_new() -> Activation {
    Activation::GeluNew
}

fn epsilon() -> f64 {
    1e-5
}

impl TryFrom<Gpt2Config> for ModelConfig {
    type Error = ModelConfigError;

    fn try_from(c: Gpt2Config) -> Result<Self, ModelConfigError> {
        let refuse = |key, found: String, expected| Err(ModelConfigError::Unsupported { key, found, expected });
        for (key, value, wanted) in [
            ("scale_attn_weights", c.scale_attn_weights, true),
            ("scale_attn_by_inverse_layer_idx", c.scale_attn_by_inverse_layer_idx, false),
            ("add_cross_attention", c.add_cross_attention, false),
        ] {
            if value != wanted {
                return refuse(key, value.to_string(), if wanted { "true" } else { "false" });
            }
        }
        if c.layer_norm_epsilon != epsilon() {
            return refuse("layer_norm_epsilon", c.layer_norm_epsilon.to_string(), "1e-5");
        }
        Ok(ModelConfig {
            model_type: GPT2.into(),
            vocab_size: c.vocab_size,
            max_position_embeddings: c.n_positions,
            hidden_size: c.n_embd,
            ffn_dim: c.n_inner.unwrap_or(4 * c.n_embd),
            num_hidden_layers: c.n_layer,
            num_attention_heads: c.n_head,
            activation_function: c.activation_function,
            do_layer_norm_before: true,
            tie_word_embeddings: c.tie_word_embeddings,
            word_embed_proj_dim: None,
        })
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

    #[test]
    fn a_forward_pass_takes_two_operations_a_weight_and_token() {
        let config = ModelConfig::from_json(&json("rules")).unwrap();
        // d 64, ff 256, 4 blocks: 4 × (4·64² + 2·64·256) = 196,608 weights in matrices; 1 token attends to itself, 4 · 64 a block.
        let one = config.forward_flops(1.0, 0.0);
        assert_eq!(one, 2.0 * 196_608.0 + 4.0 * 4.0 * 64.0);
        assert_eq!(config.forward_flops(1.0, 1.0) - one, 2.0 * 20.0 * 64.0);
    }

    #[test]
    fn another_architecture_is_refused_by_name() {
        let text = json("rules").replace("\"opt\"", "\"llama\"");
        assert!(ModelConfig::from_json(&text).unwrap_err().to_string().contains("model_type is llama"));
    }
}
