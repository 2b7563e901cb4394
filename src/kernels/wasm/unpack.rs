//! Packed matrices on their way into panels: unpacked in registers, four numbers at a time.

use super::lanes::Lanes;
use super::panels::{COLUMNS, copy, panels, transpose};
use crate::base::packing::{BLOCK, Packing, half_of};
use crate::kernels::cpu::packed::PackedView;
use std::ops::Range;

/// Columns that are unpacked for all rows before the next ones: what a row fills of the panels then stays in the first
/// cache until the next row.
const FEW: usize = 32;

/// Columns of a packed matrix in panels of [`COLUMNS`], row by row from `first` on. They and the rows begin at whole
/// blocks. What a last panel has beyond the matrix may be anything.
pub fn unpack<'a>(
    packed: &'a mut Vec<f32>,
    from: PackedView<'_>,
    columns: Range<usize>,
    first: usize,
    depth: usize,
) -> &'a [[f32; COLUMNS]] {
    let packed = panels(packed, columns.len(), depth);
    match from.layout().packing {
        Packing::Q8_0 => by_blocks::<Q8>(packed, from, columns, first, depth),
        Packing::Q4_0 => by_blocks::<Q4>(packed, from, columns, first, depth),
        Packing::Q4_1 => by_blocks::<Q4From>(packed, from, columns, first, depth),
        Packing::F32 | Packing::F16 | Packing::BF16 => by_numbers(packed, from, columns, first, depth),
    }
    packed
}

/// A block of [`BLOCK`] numbers.
trait Block {
    /// What its numbers are multiplied with, and what is added.
    type Scale: Copy;

    fn scale(block: &[u8]) -> Self::Scale;

    /// Four of its numbers, from 4·i on.
    fn four(block: &[u8], scale: Self::Scale, i: usize) -> Lanes;
}

/// Q8_0.
struct Q8;
/// Q4_0.
struct Q4;
/// Q4_1.
struct Q4From;

impl Block for Q8 {
    type Scale = Lanes;

    #[inline(always)]
    fn scale(block: &[u8]) -> Lanes {
        half(block, 0)
    }

    #[inline(always)]
    fn four(block: &[u8], scale: Lanes, i: usize) -> Lanes {
        scale.times(Lanes::signed(&block[2..].as_chunks().0[i]))
    }
}

impl Block for Q4 {
    type Scale = Lanes;

    #[inline(always)]
    fn scale(block: &[u8]) -> Lanes {
        half(block, 0)
    }

    #[inline(always)]
    fn four(block: &[u8], scale: Lanes, i: usize) -> Lanes {
        scale.times(nibbles(&block[2..], i).add(Lanes::splat(&-8.0)))
    }
}

impl Block for Q4From {
    type Scale = [Lanes; 2];

    #[inline(always)]
    fn scale(block: &[u8]) -> [Lanes; 2] {
        [half(block, 0), half(block, 2)]
    }

    #[inline(always)]
    fn four(block: &[u8], [scale, smallest]: [Lanes; 2], i: usize) -> Lanes {
        // Rounded twice, as everywhere.
        scale.times(nibbles(&block[4..], i)).add(smallest)
    }
}

#[inline(always)]
fn half(block: &[u8], at: usize) -> Lanes {
    Lanes::splat(&half_of(u16::from_le_bytes([block[at], block[at + 1]])))
}

/// The lower halves of the bytes are the first numbers, the upper halves those behind them.
#[inline(always)]
fn nibbles(bytes: &[u8], i: usize) -> Lanes {
    let bytes = &bytes.as_chunks().0[i % 4];
    if i < 4 { Lanes::low(bytes) } else { Lanes::high(bytes) }
}

/// Straight from the bytes into the panels.
fn by_blocks<B: Block>(
    packed: &mut [[f32; COLUMNS]],
    from: PackedView<'_>,
    columns: Range<usize>,
    first: usize,
    depth: usize,
) {
    if from.layout().transposed {
        for (p, panel) in packed.chunks_exact_mut(depth).enumerate() {
            for four in (0..COLUMNS).step_by(4) {
                let top = columns.start + p * COLUMNS + four;
                let last = columns.end - 1;
                let bytes = std::array::from_fn(|i| from.blocks(last.min(top + i), first..first + depth));
                across::<B>(panel, four, bytes);
            }
        }
    } else {
        for (i, panels) in packed.chunks_exact_mut(BLOCK / COLUMNS * depth).enumerate() {
            let start = columns.start + i * BLOCK;
            for k in 0..depth {
                let block = from.blocks(first + k, start..start + BLOCK);
                let scale = B::scale(block);
                for i in 0..BLOCK / 4 {
                    let row = panels[i / 2 * depth + k].as_chunks_mut::<4>().0;
                    B::four(block, scale, i).store(&mut row[i % 2]);
                }
            }
        }
    }
}

/// Four stored rows into the numbers from `four` on of a panel's columns.
fn across<B: Block>(panel: &mut [[f32; COLUMNS]], four: usize, rows: [&[u8]; 4]) {
    let blocks = panel.len() / BLOCK;
    let width = rows[0].len() / blocks.max(1);
    for (b, columns) in panel.chunks_exact_mut(BLOCK).enumerate() {
        let blocks = rows.map(|row| &row[b * width..][..width]);
        let scales = blocks.map(B::scale);
        for (i, columns) in columns.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let lanes = Lanes::transpose(std::array::from_fn(|row| B::four(blocks[row], scales[row], i)));
            for (lanes, column) in lanes.into_iter().zip(columns) {
                lanes.store(&mut column.as_chunks_mut::<4>().0[four / 4]);
            }
        }
    }
}

/// Number by number, over rows that are not kept.
fn by_numbers(packed: &mut [[f32; COLUMNS]], from: PackedView<'_>, columns: Range<usize>, first: usize, depth: usize) {
    if from.layout().transposed {
        let mut rows = vec![0.0; 4 * depth];
        for (p, panel) in packed.chunks_exact_mut(depth).enumerate() {
            for four in (0..COLUMNS).step_by(4) {
                let (top, last) = (columns.start + p * COLUMNS + four, columns.end - 1);
                for (i, row) in rows.chunks_exact_mut(depth).enumerate() {
                    from.part(last.min(top + i), first..first + depth, row);
                }
                let rows = &*rows;
                transpose(panel, four, std::array::from_fn(|i| &rows[i * depth..][..depth]));
            }
        }
    } else {
        let mut row = [0.0; FEW];
        for (i, panels) in packed.chunks_mut(FEW / COLUMNS * depth).enumerate() {
            let start = columns.start + i * FEW;
            let row = &mut row[..FEW.min(columns.end - start)];
            for k in 0..depth {
                from.part(first + k, start..start + row.len(), row);
                for (panel, numbers) in panels.chunks_exact_mut(depth).zip(row.chunks(COLUMNS)) {
                    match numbers.first_chunk::<COLUMNS>() {
                        Some(numbers) => copy(&mut panel[k], numbers),
                        None => panel[k][..numbers.len()].copy_from_slice(numbers),
                    }
                }
            }
        }
    }
}
