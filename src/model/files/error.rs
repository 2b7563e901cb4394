//! What can be wrong with files of tensors.

use crate::base::grouped;
use crate::model::UNQUANTISED;

/// A file of tensors that cannot be used; the message names the key and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorFileError {
    /// The bytes are something else that is known: the sentence says what, and the way on.
    #[error("{0}")]
    Foreign(String),
    /// The bytes are no safetensors file.
    #[error("{file} is cut short or not a safetensors file: {message}")]
    Container {
        /// The file's name.
        file: String,
        /// What is wrong with its header.
        message: String,
    },
    /// The bytes are no GGUF file.
    #[error("{file} is cut short or not a GGUF file: {message}")]
    Gguf {
        /// The file's name.
        file: String,
        /// What is wrong with its header.
        message: String,
    },
    /// A key of GGUF's metadata is missing, or has a value that would change what is computed.
    #[error("{file}: {key} is {found}, this loader knows {expected}")]
    GgufKey {
        /// The file's name.
        file: String,
        /// The key, or the tensor that stands for one.
        key: String,
        /// Its value there.
        found: String,
        /// The values that are read, and the way on.
        expected: String,
    },
    /// A tensor of GGUF is packed in a way that is not read.
    #[error(
        "{file}: “{key}” holds {found}; F32, F16, BF16, Q8_0, Q4_0 and Q4_1 are known. Take the model's file in one of these, or write one: llama-quantize --allow-requantize {file} new.gguf Q8_0"
    )]
    GgufType {
        /// The file's name.
        file: String,
        /// The tensor's.
        key: String,
        /// What ggml calls its type.
        found: String,
    },
    /// The file ends before its last tensor.
    #[error("{file} is cut short: it has {} bytes, and its header describes {}. Download or copy it again", grouped(*.found), grouped(*.described))]
    Short {
        /// The file's name.
        file: String,
        /// Its bytes.
        found: usize,
        /// The bytes that it should have.
        described: usize,
    },
    /// Weights of fewer bits than are computed with.
    #[error("{file} holds quantised weights ({by}, by “{key}”), this loader knows {UNQUANTISED}")]
    Quantised {
        /// The file's name.
        file: String,
        /// The tensor that tells it.
        key: String,
        /// What wrote it, or the type.
        by: String,
    },
    /// A row of a matrix is no whole number of blocks.
    #[error("“{key}” has rows of {columns}, and {packing} packs 32 neighbours together: take theta=f32 or theta=f16")]
    Blocks {
        /// The tensor's name.
        key: String,
        /// What ggml calls the packing.
        packing: &'static str,
        /// Numbers of a row.
        columns: usize,
    },
    /// A matrix takes more bytes than the device can use as one.
    #[error(
        "“{key}” takes {} bytes as {packing}, and this device can use {} at once: take a smaller form of θ (theta=file, f16, q8_0 or q4_1), or train on the CPU (device=cpu)", grouped(*.bytes), grouped(*.most)
    )]
    TooLarge {
        /// The tensor's name.
        key: String,
        /// What ggml calls the packing that θ is to have.
        packing: &'static str,
        /// Bytes in this packing.
        bytes: u64,
        /// Bytes of the largest tensor that the device can use.
        most: u64,
    },
    /// The list of shards cannot be used, or does not fit them.
    #[error("model.safetensors.index.json {0}")]
    Shards(String),
    /// A tensor stands in two files.
    #[error("“{key}” is both in {one} and in {other}: are these shards of two checkpoints?")]
    Twice {
        /// The tensor's name.
        key: String,
        /// A file that has it.
        one: String,
        /// Another.
        other: String,
    },
    /// A head that is not the token embedding, though the configuration ties them.
    #[error(
        "“{head}” and “{tokens}” differ, and the configuration ties them: a head of its own has no place in this lab. Take a model whose head is tied"
    )]
    Untied {
        /// The head's name.
        head: String,
        /// The embedding's.
        tokens: String,
    },
    /// A tensor that was asked for is not there.
    #[error("{file} has no tensor “{key}”")]
    Missing {
        /// The file's name.
        file: String,
        /// The tensor's.
        key: String,
    },
    /// A tensor has other dimensions than the base and the configuration give it.
    #[error("“{key}” has the shape {found:?}, {by} {expected:?}")]
    Shape {
        /// The tensor's name.
        key: String,
        /// Its dimensions in the file.
        found: Vec<usize>,
        /// Whose expectation it is: `config.json says`.
        by: &'static str,
        /// The dimensions it must have.
        expected: Vec<usize>,
    },
    /// Values are of a type that is not read.
    #[error("“{key}” holds {found}; F32, F16 and BF16 are known")]
    Type {
        /// The tensor's name.
        key: String,
        /// The type in the file, as safetensors calls it.
        found: String,
    },
    /// The tensor of this name holds an infinity or NaN.
    #[error("“{0}” holds values that are not finite numbers")]
    NotFinite(String),
    /// A tensor was left over when reading ended.
    #[error("{file} has a tensor “{key}” that this configuration does not use")]
    Unexpected {
        /// The file's name.
        file: String,
        /// The tensor's.
        key: String,
    },
    /// A list of chosen weights points past the end of θ.
    #[error("“{key}” names weight {index}; this base has {weights}")]
    Index {
        /// The list's name.
        key: String,
        /// The entry at fault.
        index: i64,
        /// How many weights there are to choose from.
        weights: usize,
    },
    /// What training needs to go on cannot be used: of another version, or damaged.
    #[error("“{0}” does not fit this run: the state of its training is of another version, or damaged")]
    Training(String),
}
