//! GGUF, llama.cpp's format: configuration, weights and tokenizer in one file, versions 2 and 3, little-endian.
//!
//! What stands in front of the numbers (`header`, with its `metadata` and `tensors`) is read without them. A
//! family says what its metadata mean (`settings`); tensors have the same names in all (`names`). The tokenizer
//! becomes the text of a `tokenizer.json` (`tokenizer`).
//!
//! Source: ggml's docs/gguf.md.

mod cursor;
mod header;
mod kind;
mod metadata;
mod names;
#[cfg(feature = "train")]
mod reader;
mod settings;
mod survey;
mod tokenizer;

pub use header::{Gguf, GgufTensor};
pub use metadata::{List, Value};
pub use names::{Named, Rows, named};
#[cfg(feature = "train")]
pub use reader::GgufReader;
pub use settings::{GgufForm, Settings};
pub use tokenizer::cuts;
