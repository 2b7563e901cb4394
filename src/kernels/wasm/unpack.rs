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

/// A block of [`BLOCK`] numbers, behind what scales them.
trait Block {
    /// Where its numbers begin.
    const FIRST: usize;
    /// Whether two numbers share a byte: those in the lower halves are the first.
    const NIBBLES: bool;

    /// Rounded as everywhere: a product, then a sum.
    fn number(q: Lanes, scale: Lanes, smallest: Lanes) -> Lanes;
}

/// Q8_0.
struct Q8;
/// Q4_0.
struct Q4;
/// Q4_1.
struct Q4From;

impl Block for Q8 {
    const FIRST: usize = 2;
    const NIBBLES: bool = false;

    #[inline(always)]
    fn number(q: Lanes, scale: Lanes, _: Lanes) -> Lanes {
        scale.times(q)
    }
}

impl Block for Q4 {
    const FIRST: usize = 2;
    const NIBBLES: bool = true;

    #[inline(always)]
    fn number(q: Lanes, scale: Lanes, _: Lanes) -> Lanes {
        scale.times(q.add(Lanes::splat(&-8.0)))
    }
}

impl Block for Q4From {
    const FIRST: usize = 4;
    const NIBBLES: bool = true;

    #[inline(always)]
    fn number(q: Lanes, scale: Lanes, smallest: Lanes) -> Lanes {
        scale.times(q).add(smallest)
    }
}

#[inline(always)]
fn half(block: &[u8], at: usize) -> f32 {
    half_of(u16::from_le_bytes([block[at], block[at + 1]]))
}

/// Scale and smallest value of blocks beside each other.
#[inline(always)]
fn scales<B: Block>(blocks: [&[u8]; 4]) -> [Lanes; 2] {
    let scale = Lanes::of(blocks.map(|block| half(block, 0)));
    [scale, if B::FIRST == 4 { Lanes::of(blocks.map(|block| half(block, 2))) } else { Lanes::zero() }]
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
                along::<B>(&mut panels[k..], depth, from.blocks(first + k, start..start + BLOCK));
            }
        }
    }
}

/// A block into the first rows of four panels, `depth` rows apart.
#[inline(always)]
fn along<B: Block>(panels: &mut [[f32; COLUMNS]], depth: usize, block: &[u8]) {
    let [scale, smallest] = scales::<B>([block; 4]);
    let bytes = block[B::FIRST..].as_chunks::<16>().0;
    for half in 0..2 {
        let numbers = if B::NIBBLES { Lanes::nibbles(&bytes[0], half == 1) } else { Lanes::bytes(&bytes[half]) };
        for (i, q) in numbers.into_iter().enumerate() {
            let row = &mut panels[(2 * half + i / 2) * depth];
            B::number(q, scale, smallest).store(&mut row.as_chunks_mut::<4>().0[i % 2]);
        }
    }
}

/// Four stored rows into the numbers from `four` on of a panel's columns.
fn across<B: Block>(panel: &mut [[f32; COLUMNS]], four: usize, rows: [&[u8]; 4]) {
    let width = rows[0].len() / (panel.len() / BLOCK).max(1);
    for (b, columns) in panel.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
        let blocks = rows.map(|row| &row[b * width..][..width]);
        let [scale, smallest] = scales::<B>(blocks);
        let mut put = |first: usize, numbers: [Lanes; 4]| {
            for (i, q) in numbers.into_iter().enumerate() {
                B::number(q, scale, smallest).store(&mut columns[first + i].as_chunks_mut::<4>().0[four / 4]);
            }
        };
        let quads = blocks.map(|block| block[B::FIRST..].as_chunks::<4>().0);
        if B::NIBBLES {
            for i in 0..BLOCK / 8 {
                let [first, second] = Lanes::columns_of_nibbles(quads.map(|row| &row[i]));
                put(4 * i, first);
                put(BLOCK / 2 + 4 * i, second);
            }
        } else {
            for i in 0..BLOCK / 4 {
                put(4 * i, Lanes::columns_of_bytes(quads.map(|row| &row[i])));
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
