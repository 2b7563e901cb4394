//! A product of matrices in four-lane vectors, for WebAssembly: both factors are packed into panels, which
//! one loop reads in a row (Goto & van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008).
//!
//! A tile of 4 × 8 keeps eight sums, two vectors of the right factor and four numbers of the left one in the
//! sixteen registers that a browser has on x86; a larger one, or two steps at once, spills. Chromium ran it
//! 1.2 to 1.5 times as fast as `gemm`'s kernel, and 1.5 to 2.2 times with relaxed SIMD's multiply-add
//! (feature `relaxed-simd`).

use super::lanes::Lanes;
use super::panels::{COLUMNS, pack};
use super::unpack::unpack;
use crate::kernels::cpu::packed::PackedView;
use crate::kernels::cpu::view::{View, Write};
use std::cell::RefCell;
use std::ops::Range;

/// Rows of a tile, beside [`COLUMNS`].
const ROWS: usize = 4;
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
        Right::Packed(right) => unpack(&mut packed.right, right, within.clone(), first, depth),
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
