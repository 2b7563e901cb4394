//! Reading and writing the files of a checkpoint, and tensor files of any kind.
//!
//! What a file says of itself is read without its numbers (`header`, `shards`, `layout`, `survey`), so that the
//! page knows what is wrong before a worker reads them.

mod chat_template;
#[cfg(feature = "train")]
mod checkpoint;
#[cfg(feature = "train")]
mod columns;
mod error;
mod foreign;
pub mod gguf;
mod header;
mod layout;
#[cfg(feature = "train")]
mod matrices;
mod shards;
mod survey;
#[cfg(feature = "train")]
mod tensor_file;

pub use chat_template::ChatTemplate;
#[cfg(feature = "train")]
pub use columns::apart;
pub use error::TensorFileError;
pub use foreign::{foreign, pickle, stand_in};
pub use header::Header;
pub use layout::Layout;
pub use shards::ShardIndex;
pub use survey::{matrix_bytes, survey};
#[cfg(feature = "train")]
pub use tensor_file::{Reader, Writer};
