//! Reading and writing the files of a checkpoint, and tensor files of any kind.

mod checkpoint;
mod tensor_file;

pub use checkpoint::CheckpointError;
pub(crate) use checkpoint::{CheckpointReader, floats};
pub use tensor_file::{Reader, TensorFileError, Writer};
