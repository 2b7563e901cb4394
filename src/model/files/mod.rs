//! Reading and writing the files of a checkpoint, and tensor files of any kind.

mod checkpoint;
mod layout;
mod tensor_file;

pub use tensor_file::{Reader, TensorFileError, Writer};
