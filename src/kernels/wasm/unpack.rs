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
pub(super) trait Block {
    /// Where its numbers begin.
    const FIRST: usize;
    /// Whether two numbers share a byte: those in the lower halves are the first.
    const NIBBLES: bool;

    /// Rounded as everywhere: a product, then a sum.
    fn number(q: Lanes, scale: Lanes, smallest: Lanes) -> Lanes;
}

/// Q8_0.
pub(super) struct Q8;
/// Q4_0.
pub(super) struct Q4;
/// Q4_1.
pub(super) struct Q4From;

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

/// A number in half precision.
#[inline(always)]
pub(super) fn half(block: &[u8], at: usize) -> f32 {
    half_of(u16::from_le_bytes([block[at], block[at + 1]]))
}

/// Scale and smallest value of blocks beside each other.
#[inline(always)]
fn scales<B: Block>([a, b, c, d]: [&[u8]; 4]) -> [Lanes; 2] {
    let scale = Lanes::of([half(a, 0), half(b, 0), half(c, 0), half(d, 0)]);
    let has_smallest = B::FIRST == 4;
    let smallest =
        if has_smallest { Lanes::of([half(a, 2), half(b, 2), half(c, 2), half(d, 2)]) } else { Lanes::zero() };
    [scale, smallest]
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
                let row = |i: usize| from.blocks(last.min(top + i), first..first + depth);
                across::<B>(panel, four, [row(0), row(1), row(2), row(3)]);
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
        for i in 0..4 {
            let row = &mut panels[(2 * half + i / 2) * depth];
            B::number(numbers[i], scale, smallest).store(&mut row.as_chunks_mut::<4>().0[i % 2]);
        }
    }
}

/// Four stored rows into the numbers from `four` on of a panel's columns.
fn across<B: Block>(panel: &mut [[f32; COLUMNS]], four: usize, [a, b, c, d]: [&[u8]; 4]) {
    let columns = panel.as_chunks_mut::<BLOCK>().0;
    let width = a.len() / columns.len().max(1);
    let blocks = a.chunks_exact(width).zip(b.chunks_exact(width)).zip(c.chunks_exact(width).zip(d.chunks_exact(width)));
    for (columns, ((a, b), (c, d))) in columns.iter_mut().zip(blocks) {
        let [scale, smallest] = scales::<B>([a, b, c, d]);
        let [a, b, c, d] = [quads::<B>(a), quads::<B>(b), quads::<B>(c), quads::<B>(d)];
        if B::NIBBLES {
            for i in 0..BLOCK / 8 {
                let [first, second] = Lanes::columns_of_nibbles([&a[i], &b[i], &c[i], &d[i]]);
                for j in 0..4 {
                    put(columns, 4 * i + j, four, B::number(first[j], scale, smallest));
                    put(columns, BLOCK / 2 + 4 * i + j, four, B::number(second[j], scale, smallest));
                }
            }
        } else {
            for i in 0..BLOCK / 4 {
                let numbers = Lanes::columns_of_bytes([&a[i], &b[i], &c[i], &d[i]]);
                for (j, q) in numbers.iter().enumerate() {
                    put(columns, 4 * i + j, four, B::number(*q, scale, smallest));
                }
            }
        }
    }
}

/// A block's bytes behind its scales.
#[inline(always)]
fn quads<B: Block>(block: &[u8]) -> &[[u8; 4]] {
    block[B::FIRST..].as_chunks().0
}

#[inline(always)]
fn put(columns: &mut [[f32; COLUMNS]; BLOCK], column: usize, four: usize, numbers: Lanes) {
    numbers.store(&mut columns[column].as_chunks_mut::<4>().0[four / 4]);
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
