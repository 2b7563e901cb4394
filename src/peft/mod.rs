//! φ: everything a method trains, and nothing else.
//!
//! A folder a method. Its plain half (name, kind, paper, knobs, formula, exact count from shapes) compiles everywhere and is what
//! page, URL, command line and docs read; its trained half, behind `train`, holds the parameters and how they are applied.
//! Adding a method means adding a folder and one line in [`registry`]'s list.

#[cfg(feature = "train")]
pub mod adapter_file;
pub mod adapter_names;
mod blocks;
#[cfg(feature = "train")]
mod copies;
mod cost;
mod count;
mod demonstrations;
#[cfg(feature = "train")]
mod init;
pub mod knob;
mod mask;
mod matrices;
mod method;
pub mod overlay;
#[cfg(feature = "train")]
pub mod phi;
pub mod python;
mod rates;
mod registry;
mod sums;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod toy;
mod virtual_tokens;
mod whole_tensors;

#[cfg(feature = "train")]
pub use adapter_file::{AdapterError, AdapterFile, AdapterSettings};
pub use blocks::Blocks;
pub use cost::Cost;
pub use count::{Count, Shape, Term, factors, trainable_line};
pub use demonstrations::{DemonstrationLabels, Demonstrations};
#[cfg(feature = "train")]
pub use init::InitContext;
pub use knob::{Knob, Range, Value};
pub use mask::Mask;
pub use method::{MORE, Method, MethodInfo, MethodKind};
pub use overlay::{Bar, Beside, Bottlenecks, Everywhere, Front, HeadCopy, Mark, Overlay, PrefixMark, Update};
#[cfg(feature = "train")]
pub use phi::Phi;
pub use python::{Python, Script};
pub use registry::*;
