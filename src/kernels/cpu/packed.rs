//! Packed matrices as they lie in bytes.

use super::slices::wide;
use crate::base::packing::unpack_here;
use crate::kernels::PackedLayout;
use std::ops::Range;

/// A packed matrix in its bytes.
#[derive(Clone, Copy)]
pub struct PackedView<'a> {
    bytes: &'a [u8],
    layout: PackedLayout,
}

impl<'a> PackedView<'a> {
    /// The stored rows begin with the bytes; what lies behind them is not looked at.
    pub fn new(bytes: &'a [u8], layout: PackedLayout) -> PackedView<'a> {
        assert!(layout.rows * layout.row_bytes() <= bytes.len(), "{layout:?} in {} bytes", bytes.len());
        PackedView { bytes, layout }
    }

    /// Unpacks stored rows.
    pub fn rows(&self, rows: Range<usize>, numbers: &mut [f32]) {
        let width = self.layout.row_bytes();
        let packed = &self.bytes[rows.start * width..rows.end * width];
        wide(
            #[inline(always)]
            || unpack_here(self.layout.packing, packed, numbers),
        );
    }

    /// Unpacks some columns of a stored row: whole blocks.
    pub fn part(&self, row: usize, columns: Range<usize>, numbers: &mut [f32]) {
        let packed = self.blocks(row, columns);
        wide(
            #[inline(always)]
            || unpack_here(self.layout.packing, packed, numbers),
        );
    }

    /// The bytes of some columns of a stored row: whole blocks.
    #[inline]
    pub fn blocks(&self, row: usize, columns: Range<usize>) -> &'a [u8] {
        let (block, bytes) = self.layout.packing.block();
        let row = &self.bytes[row * self.layout.row_bytes()..];
        &row[columns.start / block * bytes..columns.end / block * bytes]
    }

    /// How it lies.
    pub fn layout(&self) -> PackedLayout {
        self.layout
    }
}
