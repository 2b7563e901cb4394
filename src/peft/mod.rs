//! φ: everything a method trains, and nothing else.
//!
//! A folder a method. Its plain half (name, kind, paper, knobs, formula, exact count from shapes) compiles everywhere and is what
//! page, URL, command line and docs read; its trained half, behind `train`, holds the parameters and how they are applied.
//! Adding a method means adding a folder and one line in [`registry`]'s list.

mod adapter;
mod all_but_embeddings;
mod bitfit;
mod blocks;
#[cfg(feature = "train")]
mod copies;
mod count;
mod dora;
mod embeddings;
mod full;
mod ia3;
mod icl;
#[cfg(feature = "train")]
mod init;
pub mod knob;
mod last_layer;
mod layers;
mod ln_tuning;
mod lora;
mod method;
mod p_tuning;
#[cfg(feature = "train")]
pub mod phi;
mod prefix;
mod prompt;
mod pruning;
mod registry;
mod sparse;
mod subspace;
mod text_prompt;
mod vera;

pub use adapter::{Adapter, Placement};
pub use all_but_embeddings::AllButEmbeddings;
pub use bitfit::BitFit;
pub use blocks::Blocks;
pub use count::{Count, Shape, Term, trainable_line};
pub use dora::Dora;
pub use embeddings::Embeddings;
pub use full::Full;
pub use ia3::Ia3;
pub use icl::{DemonstrationLabels, Icl, Template};
#[cfg(feature = "train")]
pub use init::InitContext;
pub use knob::{Knob, Range, Value};
pub use last_layer::{LastLayer, Rows};
pub use layers::Layers;
pub use ln_tuning::LnTuning;
pub use lora::Lora;
pub use method::{Method, MethodInfo, MethodKind};
pub use p_tuning::PTuning;
#[cfg(feature = "train")]
pub use phi::Phi;
pub use prefix::Prefix;
pub use prompt::{Prompt, PromptInit};
pub use pruning::Pruning;
pub use registry::MethodConfig;
#[cfg(feature = "train")]
pub use registry::Part;
pub use sparse::{Mask, Sparse};
pub use subspace::Subspace;
pub use text_prompt::TextPrompt;
pub use vera::Vera;
