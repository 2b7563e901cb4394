//! What a family of models calls its parts: one description, which files, adapters and Python ask.

use super::files::gguf::GgufForm;
use super::{ConfigKeys, ModelConfig, ModelConfigError, ModulePath, Target};

/// A family of models as Hugging Face has it. It is data, so a family that leaves something open does not
/// compile.
///
/// What the forward pass computes from stands in [`ModelConfig`].
#[derive(Debug)]
pub struct Family {
    /// `model_type` in `config.json`.
    pub model_type: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// transformers' class of a model with its head.
    pub python_class: &'static str,
    /// Reads a `config.json`, with transformers' names and defaults. What would change the result is refused
    /// by its key.
    pub read_config: fn(&ConfigKeys) -> Result<ModelConfig, ModelConfigError>,
    /// A `config.json` that transformers reads as this model, without dropout. The page writes none.
    #[cfg(feature = "train")]
    pub write_config: fn(&ModelConfig) -> serde_json::Value,
    /// How the family's models stand in GGUF; `None` where no architecture of llama.cpp is this family alone.
    pub gguf: Option<GgufForm>,
    /// Models that everyone knows, for the ledger, the smallest first.
    pub published: &'static [RealModel],
    /// The module around embeddings, blocks and last norm, in a model with its head.
    pub decoder: &'static str,
    /// The same in a checkpoint that was written without the head; empty where nothing stands around them.
    pub headless_decoder: &'static str,
    /// The head, outside the decoder. Where it is tied to the token embedding, a file may hold either.
    pub head: &'static str,
    /// The token embedding.
    pub tokens: &'static str,
    /// The position embedding; empty where positions are not learned.
    pub positions: &'static str,
    /// The list of blocks.
    pub blocks: &'static str,
    /// The norm before attention, in its block.
    pub attention_norm: &'static str,
    /// The norm before the MLP, in its block.
    pub mlp_norm: &'static str,
    /// The norms of every head of queries and of keys, in their block; none where no model has them.
    pub head_norms: Option<[&'static str; 2]>,
    /// The norm behind all blocks.
    pub final_norm: &'static str,
    /// The linear modules of a block. Together they hold every [`Target`] of the family's models once.
    pub modules: &'static [LinearModule],
    /// Whether a checkpoint holds matrices as `[inputs, outputs]`; else as `[outputs, inputs]`. The name is
    /// PEFT's.
    pub fan_in_fan_out: bool,
}

/// A linear module of a block: one matrix, or several side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearModule {
    /// Its path in the block.
    pub path: &'static str,
    /// Its name in PEFT's `target_modules`: an end of the path that no other module of the block has.
    pub peft: &'static str,
    /// The matrices that it holds, their outputs side by side in this order.
    pub holds: &'static [Target],
    /// How the outputs of several lie side by side.
    pub joined: Joined,
}

/// How the outputs of matrices that share a module lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// One matrix whole after the other.
    Whole,
    /// Head after head: the first head of each matrix, then the second of each.
    ByHead,
}

impl LinearModule {
    /// A module that is one matrix, whose path ends with its name in PEFT.
    pub const fn one(path: &'static str, peft: &'static str, holds: &'static [Target]) -> LinearModule {
        LinearModule { path, peft, holds, joined: Joined::Whole }
    }

    /// Into how many pieces each matrix's outputs are cut, which lie in turns.
    pub fn turns(&self, model: &ModelConfig) -> usize {
        match self.joined {
            Joined::Whole => 1,
            Joined::ByHead => model.num_attention_heads,
        }
    }
}

/// A published model.
#[derive(Clone, Debug, PartialEq)]
pub struct RealModel {
    /// In addresses and flags.
    pub id: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// Its shape.
    pub config: ModelConfig,
}

impl Family {
    /// The linear module that holds a matrix; `None` for one that the family's models lack.
    pub fn module(&self, target: Target) -> Option<&LinearModule> {
        self.modules.iter().find(|module| module.holds.contains(&target))
    }

    /// The linear modules that a name in PEFT's `target_modules` means: those whose path ends with it.
    pub fn modules_named(&self, name: &str) -> impl Iterator<Item = &'static LinearModule> {
        self.modules.iter().filter(move |module| {
            module.path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    }

    /// Whether a module holds several matrices, so that an update of one of them is an update of all.
    pub fn joins_matrices(&self) -> bool {
        self.modules.iter().any(|module| module.holds.len() > 1)
    }

    /// The names of norms, each once, as PEFT's `target_modules` has them.
    pub fn norms(&self) -> Vec<&'static str> {
        let mut norms = vec![self.attention_norm, self.mlp_norm, self.final_norm];
        norms.extend(self.head_norms.into_iter().flatten());
        // OPT calls two of them alike.
        norms.dedup();
        norms
    }

    /// The path of a module in its block, inside the decoder: `layers.0.self_attn.q_proj`.
    pub fn in_block(&self, block: usize, module: &str) -> String {
        format!("{}.{block}.{module}", self.blocks)
    }

    /// The path of a module inside the decoder; of the head, which stands outside, its whole path. Matrices
    /// that share a module share its path. Modules that the family lacks have the name of those that have them.
    pub fn path(&self, path: ModulePath) -> String {
        match path {
            ModulePath::Tokens => self.tokens.into(),
            ModulePath::Positions => self.positions.into(),
            ModulePath::Linear(block, target) => {
                self.in_block(block, self.module(target).map_or(target.module(), |module| module.path))
            }
            ModulePath::AttentionNorm(block) => self.in_block(block, self.attention_norm),
            ModulePath::MlpNorm(block) => self.in_block(block, self.mlp_norm),
            ModulePath::QueryNorm(block) => {
                self.in_block(block, self.head_norms.map_or("self_attn.q_norm", |norms| norms[0]))
            }
            ModulePath::KeyNorm(block) => {
                self.in_block(block, self.head_norms.map_or("self_attn.k_norm", |norms| norms[1]))
            }
            ModulePath::FinalNorm => self.final_norm.into(),
            ModulePath::Head => self.head.into(),
        }
    }

    /// The path of a module in a model with its head, which is its name in a checkpoint:
    /// `model.decoder.layers.0.self_attn.q_proj`.
    pub fn key(&self, path: ModulePath) -> String {
        if path == ModulePath::Head { self.head.into() } else { within(self.decoder, &self.path(path)) }
    }

    /// The path of a module in a model that PEFT wraps:
    /// `base_model.model.model.decoder.layers.0.self_attn.q_proj`.
    pub fn peft_key(&self, path: ModulePath) -> String {
        format!("base_model.model.{}", self.key(path))
    }
}

/// The path of a module inside another; an empty one is the model itself.
pub fn within(module: &str, path: &str) -> String {
    if module.is_empty() { path.into() } else { format!("{module}.{path}") }
}
