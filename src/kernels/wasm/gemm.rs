//! A product of matrices in four-lane vectors, for WebAssembly: both factors are packed into panels, which
//! one loop reads in a row (Goto & van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008).
//!
//! A tile of 4 × 8 keeps eight sums, two vectors of the right factor and four numbers of the left one in the
//! sixteen registers that a browser has on x86; a larger one, or two steps at once, spills. Chromium ran it
//! 1.2 to 1.5 times as fast as `gemm`'s kernel, and 1.5 to 2.2 times with relaxed SIMD's multiply-add
//! (feature `relaxed-simd`).

use super::lanes::Lanes;
use crate::kernels::cpu::packed::PackedView;
use crate::kernels::cpu::view::{View, Write};
use std::cell::RefCell;
use std::ops::Range;

/// Rows and columns of a tile.
const ROWS: usize = 4;
const COLUMNS: usize = 8;
/// Of the inner dimension, what is multiplied at once: a panel of the right factor then fills 8 kB of the
/// first cache.
const DEPTH: usize = 256;
/// Rows of the left factor that are packed at once: 96 kB of the second cache.
const HEIGHT: usize = 96;

/// Columns of the right factor that are packed at once, whole panels: 2 MB, where all of a vocabulary's would be 50 and
/// stay.
const WIDTH: usize = 2048;

/// Panels of [`ROWS`] rows, and of [`COLUMNS`] columns; kept, since a step packs some hundred times.
#[derive(Default)]
struct Packed {
    left: Vec<f32>,
    right: Vec<f32>,
    /// What is unpacked on its way into a panel.
    rows: Vec<f32>,
}

/// The right factor.
#[derive(Clone, Copy)]
pub enum Right<'a> {
    /// In single precision.
    Plain(View<'a>),
    /// Unpacked while its panels are packed.
    Packed(PackedView<'a>),
}

impl Right<'_> {
    fn columns(&self) -> usize {
        match self {
            Right::Plain(view) => view.columns(),
            Right::Packed(packed) => packed.layout().dims()[1],
        }
    }
}

thread_local! {
    static PACKED: RefCell<Packed> = RefCell::default();
}

/// left·right into `out`, in rows that begin `stride` elements apart. The caller has checked that it fits.
pub fn multiply(out: &mut [f32], stride: usize, write: Write, left: View<'_>, right: Right<'_>) {
    PACKED.with_borrow_mut(|packed| product(out, stride, write, left, right, packed));
}

#[cfg_attr(all(target_arch = "wasm32", feature = "relaxed-simd"), target_feature(enable = "relaxed-simd"))]
fn product(out: &mut [f32], stride: usize, write: Write, left: View<'_>, right: Right<'_>, packed: &mut Packed) {
    let (m, n, k) = (left.rows(), right.columns(), left.columns());
    if k == 0 && write == Write::Replace {
        (0..m).for_each(|i| out[i * stride..][..n].fill(0.0));
    }
    for start in (0..n).step_by(WIDTH) {
        let columns = start..n.min(start + WIDTH);
        for first in (0..k).step_by(DEPTH) {
            let add = write == Write::Add || first > 0;
            block(out, stride, add, (left, right), columns.clone(), first..k.min(first + DEPTH), packed);
        }
    }
}

/// What some of the inner dimension's numbers give for some columns of the product.
#[cfg_attr(all(target_arch = "wasm32", feature = "relaxed-simd"), target_feature(enable = "relaxed-simd"))]
fn block(
    out: &mut [f32],
    stride: usize,
    add: bool,
    (left, right): (View<'_>, Right<'_>),
    within: Range<usize>,
    inner: Range<usize>,
    packed: &mut Packed,
) {
    let (m, first, depth) = (left.rows(), inner.start, inner.len());
    // The right factor's panels are the left one's of the transposed.
    let right = match right {
        Right::Plain(right) => pack::<COLUMNS>(&mut packed.right, right.transposed(), within.clone(), first, depth),
        Right::Packed(right) => unpack(&mut packed.right, &mut packed.rows, right, within.clone(), first, depth),
    };
    for top in (0..m).step_by(HEIGHT) {
        let height = HEIGHT.min(m - top);
        let left = pack::<ROWS>(&mut packed.left, left, top..top + height, first, depth);
        for (p, right) in right.chunks_exact(depth).enumerate() {
            let columns = COLUMNS.min(within.len() - p * COLUMNS);
            for (q, left) in left.chunks_exact(depth).enumerate() {
                let rows = ROWS.min(height - q * ROWS);
                let corner = (top + q * ROWS) * stride + within.start + p * COLUMNS;
                let sums = tile(left, right);
                let out = &mut out[corner..][..(rows - 1) * stride + columns];
                if rows == ROWS && columns == COLUMNS {
                    // So many rows that the compiler keeps the sums in registers.
                    for (i, sums) in sums.iter().enumerate() {
                        put_eight(&mut out[i * stride..][..COLUMNS], sums, add);
                    }
                } else {
                    for (i, sums) in sums.iter().take(rows).enumerate() {
                        put_some(&mut out[i * stride..][..columns], sums, add);
                    }
                }
            }
        }
    }
}

/// Rows of a matrix in panels of `N`, column by column from `first` on; missing rows of the last panel are
/// zero.
fn pack<'a, const N: usize>(
    packed: &'a mut Vec<f32>,
    from: View<'_>,
    rows: Range<usize>,
    first: usize,
    depth: usize,
) -> &'a [[f32; N]] {
    let panels = rows.len().div_ceil(N);
    if packed.len() < panels * depth * N {
        packed.resize(panels * depth * N, 0.0);
    }
    let packed = packed[..panels * depth * N].as_chunks_mut::<N>().0;
    for (p, panel) in packed.chunks_exact_mut(depth).enumerate() {
        let top = rows.start + p * N;
        let height = N.min(rows.end - top);
        if height == N && from.row_stride() == 1 {
            let (from, stride) = (from.from(top, first), from.column_stride() as usize);
            for (k, column) in panel.iter_mut().enumerate() {
                copy(column, &from[k * stride..][..N]);
            }
        } else if height == N && from.column_stride() == 1 {
            for four in (0..N).step_by(4) {
                let rows: [&[f32]; 4] = std::array::from_fn(|i| &from.from(top + four + i, first)[..depth]);
                transpose(panel, four, rows);
            }
        } else {
            pack_some(panel, from, top..top + height, first);
        }
    }
    packed
}

/// Columns of a packed matrix in panels of [`COLUMNS`], row by row from `first` on, as [`pack`] has them. They
/// begin at whole blocks.
fn unpack<'a>(
    packed: &'a mut Vec<f32>,
    rows: &mut Vec<f32>,
    from: PackedView<'_>,
    columns: Range<usize>,
    first: usize,
    depth: usize,
) -> &'a [[f32; COLUMNS]] {
    let panels = columns.len().div_ceil(COLUMNS);
    let width = if from.layout().transposed { 4 * depth } else { columns.len() };
    for (numbers, needed) in [(&mut *packed, panels * depth * COLUMNS), (rows, width)] {
        if numbers.len() < needed {
            numbers.resize(needed, 0.0);
        }
    }
    let (packed, rows) = (packed[..panels * depth * COLUMNS].as_chunks_mut::<COLUMNS>().0, &mut rows[..width]);
    if from.layout().transposed {
        for (p, panel) in packed.chunks_exact_mut(depth).enumerate() {
            for four in (0..COLUMNS).step_by(4) {
                let top = columns.start + p * COLUMNS + four;
                // Columns that are missing are zero.
                let there = 4.min(columns.end.saturating_sub(top));
                rows[there * depth..].fill(0.0);
                for (i, row) in rows.chunks_exact_mut(depth).take(there).enumerate() {
                    from.part(top + i, first..first + depth, row);
                }
                let rows = &*rows;
                transpose(panel, four, std::array::from_fn(|i| &rows[i * depth..][..depth]));
            }
        }
    } else {
        for k in 0..depth {
            from.part(first + k, columns.clone(), rows);
            for (p, numbers) in rows.chunks(COLUMNS).enumerate() {
                let row = &mut packed[p * depth + k];
                match numbers.first_chunk::<COLUMNS>() {
                    Some(numbers) => copy(row, numbers),
                    None => {
                        row.fill(0.0);
                        row[..numbers.len()].copy_from_slice(numbers);
                    }
                }
            }
        }
    }
    packed
}

/// Fewer rows than a panel has, or rows of any layout.
fn pack_some<const N: usize>(panel: &mut [[f32; N]], from: View<'_>, rows: Range<usize>, first: usize) {
    panel.fill([0.0; N]);
    let stride = from.column_stride() as usize;
    for (i, row) in rows.enumerate() {
        let row = from.from(row, first);
        for (k, column) in panel.iter_mut().enumerate() {
            column[i] = row[k * stride];
        }
    }
}

/// The first numbers of `from`, four at a time: for so few, `copy_from_slice` would be a call.
#[inline(always)]
fn copy<const N: usize>(to: &mut [f32; N], from: &[f32]) {
    let (to, from) = (to.as_chunks_mut::<4>().0, from.as_chunks::<4>().0);
    for i in 0..N / 4 {
        Lanes::load(&from[i]).store(&mut to[i]);
    }
}

/// Four rows into the numbers from `four` on of a panel's columns.
#[inline(always)]
fn transpose<const N: usize>(panel: &mut [[f32; N]], four: usize, rows: [&[f32]; 4]) {
    let [a, b, c, d] = rows.map(|row| row.as_chunks::<4>().0);
    let (chunks, rest) = panel.as_chunks_mut::<4>();
    let whole = 4 * chunks.len();
    for (k, columns) in chunks.iter_mut().enumerate() {
        let lanes = Lanes::transpose([Lanes::load(&a[k]), Lanes::load(&b[k]), Lanes::load(&c[k]), Lanes::load(&d[k])]);
        for i in 0..4 {
            lanes[i].store(&mut columns[i].as_chunks_mut::<4>().0[four / 4]);
        }
    }
    for (k, column) in rest.iter_mut().enumerate() {
        (0..4).for_each(|i| column[four + i] = rows[i][whole + k]);
    }
}

/// The sums of a tile over the depth of two panels.
#[cfg_attr(all(target_arch = "wasm32", feature = "relaxed-simd"), target_feature(enable = "relaxed-simd"))]
#[inline]
fn tile(left: &[[f32; ROWS]], right: &[[f32; COLUMNS]]) -> [[Lanes; 2]; ROWS] {
    let mut sums = [[Lanes::zero(); 2]; ROWS];
    let right = &right[..left.len()];
    for k in 0..left.len() {
        let right = right[k].as_chunks::<4>().0;
        let (a, b) = (Lanes::load(&right[0]), Lanes::load(&right[1]));
        for i in 0..ROWS {
            let x = Lanes::splat(&left[k][i]);
            sums[i][0] = x.times_plus(a, sums[i][0]);
            sums[i][1] = x.times_plus(b, sums[i][1]);
        }
    }
    sums
}

/// A whole row of a tile to where it belongs.
#[inline(always)]
fn put_eight(out: &mut [f32], sums: &[Lanes; 2], add: bool) {
    let out = out.as_chunks_mut::<4>().0;
    for i in 0..2 {
        let sums = if add { sums[i].add(Lanes::load(&out[i])) } else { sums[i] };
        sums.store(&mut out[i]);
    }
}

/// What fits of a row.
fn put_some(out: &mut [f32], sums: &[Lanes; 2], add: bool) {
    let mut row = [[0.0; 4]; 2];
    row.iter_mut().zip(sums).for_each(|(row, sums)| sums.store(row));
    for (out, sum) in out.iter_mut().zip(row.as_flattened()) {
        *out = if add { *out + sum } else { *sum };
    }
}
