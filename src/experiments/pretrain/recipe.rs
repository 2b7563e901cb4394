//! A recipe: all that decides a base, as a small JSON file.

use super::prose::{Block, Corpus};
use crate::base::read_json;
use crate::model::{Activation, ModelConfig, ModelConfigError, Sizes};
use crate::task::rules;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a base is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Name of the base.
    pub id: String,
    /// The network.
    pub model: Shape,
    /// What it reads.
    pub data: Data,
    /// Training steps in all.
    pub steps: usize,
    /// Sequences of a step.
    pub batch_size: usize,
    /// AdamW's peak rate, reached after `warm_up` steps, then along a cosine to a twentieth.
    pub lr: f64,
    /// Steps in which the rate rises.
    pub warm_up: usize,
    /// On matrices; biases and LayerNorms have none.
    pub weight_decay: f32,
    /// Of weights and batches.
    pub seed: u64,
    /// Steps between judgements and checkpoints.
    pub judge_every: usize,
}

/// The network's shape; its feed-forward layer is four times as wide as the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// `d_model`.
    pub hidden_size: usize,
    /// Blocks.
    pub layers: usize,
    /// Heads of a block.
    pub heads: usize,
    /// Positions.
    pub context: usize,
    /// Of the feed-forward layer.
    pub activation: Activation,
}

/// What a base reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Data {
    /// Strings under a hidden rule.
    Rules(RulesData),
    /// Books.
    Prose(ProseData),
}

/// Episodes of string rules, drawn on the fly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesData {
    /// Share of the steps, the first, that show only the rules that move letters.
    pub moves_first: f64,
    /// Their share afterwards, before the rest is drawn.
    pub moves: f64,
    /// Of the rest, the share of single rules; the others are compositions.
    pub singles: f64,
}

/// Books, cut into blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProseData {
    /// Tokens of the byte-level BPE.
    pub vocabulary: usize,
    /// Blocks of each book that only judge.
    pub held_out: BTreeMap<String, Vec<usize>>,
}

impl ProseData {
    /// The blocks to train on, and those to judge by.
    pub fn split<'c>(&self, corpus: &'c Corpus) -> Result<(Vec<&'c str>, Vec<&'c str>), String> {
        let held = |block: &Block| self.held_out.get(&block.book).is_some_and(|n| n.contains(&block.number));
        for (book, numbers) in &self.held_out {
            if let Some(n) = numbers.iter().find(|n| !corpus.blocks.iter().any(|b| b.book == *book && b.number == **n))
            {
                return Err(format!("The recipe holds out block {n} of “{book}”, which the text does not have."));
            }
        }
        let (held_out, training): (Vec<&Block>, Vec<&Block>) = corpus.blocks.iter().partition(|b| held(b));
        let texts = |blocks: Vec<&'c Block>| blocks.into_iter().map(|b| b.text.as_str()).collect();
        Ok((texts(training), texts(held_out)))
    }
}

impl Recipe {
    /// Reads a recipe; the error names line and key.
    pub fn from_json(text: &str) -> Result<Recipe, String> {
        let recipe: Recipe = read_json(text)?;
        let limits = [
            ("steps", recipe.steps, 1_000_000),
            ("batch_size", recipe.batch_size, 4096),
            ("judge_every", recipe.judge_every, 1_000_000),
        ];
        if let Some((key, n, max)) = limits.into_iter().find(|(_, n, max)| !(1..=*max).contains(n)) {
            return Err(format!("{key} is {n}: it takes 1 to {max}"));
        }
        let weight_decay = f64::from(recipe.weight_decay);
        for (key, x, least) in [("lr", recipe.lr, f64::MIN_POSITIVE), ("weight_decay", weight_decay, 0.0)] {
            if !(least..=10.0).contains(&x) {
                return Err(format!(
                    "{key} is {x}: it takes {} to 10",
                    if least > 0.0 { "more than 0, up" } else { "0" }
                ));
            }
        }
        recipe.model_config_checked().map_err(|e| e.to_string())?;
        Ok(recipe)
    }

    /// Tokens of its tokenizer.
    pub fn vocabulary(&self) -> usize {
        match &self.data {
            Data::Rules(_) => rules::VOCABULARY,
            Data::Prose(prose) => prose.vocabulary,
        }
    }

    /// The rate of a step, from 0.
    pub fn learning_rate(&self, step: usize) -> f64 {
        let rise = ((step + 1) as f64 / self.warm_up.max(1) as f64).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / self.steps as f64).cos());
        self.lr * rise * (0.95 * cosine + 0.05)
    }

    /// `config.json` as transformers reads it: shape and special tokens.
    pub fn hugging_face_config(&self) -> serde_json::Value {
        let m = &self.model;
        let sizes = Sizes {
            vocab_size: self.vocabulary(),
            max_position_embeddings: m.context,
            hidden_size: m.hidden_size,
            ffn_dim: 4 * m.hidden_size,
            num_hidden_layers: m.layers,
            num_attention_heads: m.heads,
        };
        let mut json = ModelConfig::native(sizes, m.activation).to_json();
        for token in ["pad_token_id", "bos_token_id", "eos_token_id"] {
            json[token] = 0.into();
        }
        json
    }

    fn model_config_checked(&self) -> Result<ModelConfig, ModelConfigError> {
        ModelConfig::from_json(&self.hugging_face_config().to_string())
    }

    /// The configuration of its network.
    #[expect(clippy::expect_used, reason = "`from_json` makes every recipe, and refuses one without a configuration")]
    pub fn model_config(&self) -> ModelConfig {
        self.model_config_checked().expect("a recipe of a network")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipes_of_all_bases_are_read() {
        // Those that come in one file were made by others.
        for base in crate::bases::BASES.iter().filter(|base| base.fetched().is_none()) {
            let path = format!("{}/recipes/{}.json", env!("CARGO_MANIFEST_DIR"), base.id);
            let recipe = Recipe::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
            assert_eq!(recipe.id, base.id);
            assert_eq!(recipe.model_config(), base.config().unwrap());
        }
    }

    #[test]
    fn the_rate_rises_then_falls_to_a_twentieth() {
        let path = format!("{}/recipes/rules.json", env!("CARGO_MANIFEST_DIR"));
        let recipe = Recipe::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert!((recipe.learning_rate(0) - recipe.lr / recipe.warm_up as f64).abs() < 1e-9);
        assert!(recipe.learning_rate(recipe.warm_up) > 0.98 * recipe.lr);
        assert!((recipe.learning_rate(recipe.steps) - 0.05 * recipe.lr).abs() < 1e-9);
    }

    #[test]
    fn a_wrong_recipe_names_the_key() {
        let path = format!("{}/recipes/rules.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let error = |from: &str, to: &str| Recipe::from_json(&text.replace(from, to)).unwrap_err();
        assert!(error("\"warm_up\"", "\"warmup\"").contains("warmup"));
        assert!(error("\"heads\": 4", "\"heads\": 3").contains("num_attention_heads"));
        assert!(error("\"batch_size\": 32", "\"batch_size\": 0").contains("batch_size"));
    }
}
