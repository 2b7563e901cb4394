//! Page and trainer: the messages between them, and the trainer's loop in a Web Worker.

pub mod messages;

pub use messages::{AssetUrls, Command};
