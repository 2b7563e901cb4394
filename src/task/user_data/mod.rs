//! A visitor's own data: plain text, CSV, TSV or JSON lines, dropped or pasted. Nothing of it leaves the
//! machine.
//!
//! [`read`] makes a text or a [`Table`] of a file's bytes. [`labelled`] and [`text_split`] divide it into
//! training and held-out data. [`UserData`] writes the file that the trainer reads, and is what a
//! configuration knows of it.

mod data;
mod decode;
mod error;
mod json;
mod labelled;
mod limits;
mod reader;
mod separated;
mod table;
mod text;

pub use data::{UserData, parse_classes, parse_name};
pub use error::UserDataError;
pub use labelled::{LabelledSplit, LeftOut, labelled};
pub use limits::{MAX_BYTES, MAX_LABELS};
pub use reader::{Dropped, read};
pub use table::{Row, Table};
pub use text::text_split;

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
