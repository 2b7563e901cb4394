//! How numbers are packed in files and in memory: the types of ggml, the library of llama.cpp.

#[cfg(feature = "train")]
mod pack;
#[cfg(feature = "train")]
mod unpack;

#[cfg(feature = "train")]
pub use pack::pack;
#[cfg(feature = "train")]
pub use unpack::{finite, half_of, unpack, unpack_here};

/// Numbers that Q8_0, Q4_0 and Q4_1 pack together: neighbours of a row.
pub const BLOCK: usize = 32;

/// A type of numbers, under ggml's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Packing {
    /// Single precision.
    F32,
    /// Half precision.
    F16,
    /// The upper half of single precision.
    BF16,
    /// 32 signed bytes times a scale.
    Q8_0,
    /// 32 numbers from −8 to 7 times a scale.
    Q4_0,
    /// 32 numbers from 0 to 15 times a scale, and a smallest value.
    Q4_1,
}

impl Packing {
    /// Every type.
    pub const ALL: [Packing; 6] =
        [Packing::F32, Packing::F16, Packing::BF16, Packing::Q8_0, Packing::Q4_0, Packing::Q4_1];

    /// What ggml calls it.
    pub fn name(self) -> &'static str {
        match self {
            Packing::F32 => "F32",
            Packing::F16 => "F16",
            Packing::BF16 => "BF16",
            Packing::Q8_0 => "Q8_0",
            Packing::Q4_0 => "Q4_0",
            Packing::Q4_1 => "Q4_1",
        }
    }

    /// How many neighbours of a row are packed together, and into how many bytes.
    pub const fn block(self) -> (usize, usize) {
        match self {
            Packing::F32 => (1, 4),
            Packing::F16 | Packing::BF16 => (1, 2),
            Packing::Q8_0 => (BLOCK, 34),
            Packing::Q4_0 => (BLOCK, 18),
            Packing::Q4_1 => (BLOCK, 20),
        }
    }

    /// Bytes of so many rows of so many numbers; `None` where a row is no whole number of blocks, or there are too
    /// many.
    pub fn bytes(self, rows: u64, columns: u64) -> Option<u64> {
        let (numbers, bytes) = self.block();
        let blocks = columns.is_multiple_of(numbers as u64).then(|| columns / numbers as u64)?;
        blocks.checked_mul(bytes as u64)?.checked_mul(rows)
    }
}
