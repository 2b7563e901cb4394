//! Page and trainer: the messages between them, and the trainer's loop in a Web Worker.

#[cfg(all(feature = "train", target_arch = "wasm32"))]
mod helpers;
pub mod messages;
#[cfg(all(feature = "train", target_arch = "wasm32"))]
pub mod runtime;

pub use messages::{AssetUrls, Command};
