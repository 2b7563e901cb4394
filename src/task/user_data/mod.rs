//! A visitor's own data: plain text, CSV, TSV or JSON, dropped or pasted. Nothing of it leaves the machine.
//!
//! [`read`] makes a text or a [`Table`] of a file's bytes; [`Wish`] says what a visitor knows of it.
//! [`labelled`] and [`text_split`] divide it into training and held-out data. [`UserData`] writes the file that
//! the trainer reads, and is what a configuration knows of it. [`taken`], [`told`], [`refusal`], [`cut_text`] and
//! [`cut_texts`] say what was made of a file.

mod answers;
mod below;
mod chats;
mod columns;
mod data;
mod decode;
mod error;
mod header;
mod json;
mod labelled;
mod levels;
mod limits;
mod names;
mod nested;
mod notes;
mod quotes;
mod reader;
mod report;
mod row;
mod separated;
mod separator;
mod table;
mod text;

pub use answers::{AnsweredSplit, answered};
pub use chats::Chats;
pub use columns::Columns;
pub use data::{FREE, UserData, letters, parse_answers, parse_classes, parse_name};
pub use error::UserDataError;
pub use labelled::{LabelledSplit, LeftOut, labelled};
pub use limits::{MAX_BYTES, MAX_LABELS};
pub use nested::NestedColumn;
pub use notes::Notes;
pub use reader::{Dropped, Wish, read, read_as};
pub use report::{cut_text, cut_texts, refusal, taken, told};
pub use row::Row;
pub use separator::Separator;
pub use table::Table;
pub use text::{check_text, check_tokens, text_split};

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
