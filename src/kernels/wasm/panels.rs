//! Panels: the numbers of a factor in the order in which a tile reads them.

use super::lanes::Lanes;
use crate::kernels::cpu::view::View;
use std::ops::Range;

/// Columns of a panel of the right factor.
pub const COLUMNS: usize = 8;

/// Room for so many rows in panels of `N`.
pub fn panels<const N: usize>(packed: &mut Vec<f32>, rows: usize, depth: usize) -> &mut [[f32; N]] {
    let numbers = rows.div_ceil(N) * depth * N;
    if packed.len() < numbers {
        packed.resize(numbers, 0.0);
    }
    packed[..numbers].as_chunks_mut::<N>().0
}

/// Rows of a matrix in panels of `N`, column by column from `first` on; missing rows of the last panel are
/// zero.
pub fn pack<'a, const N: usize>(
    packed: &'a mut Vec<f32>,
    from: View<'_>,
    rows: Range<usize>,
    first: usize,
    depth: usize,
) -> &'a [[f32; N]] {
    let packed = panels(packed, rows.len(), depth);
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
pub fn copy<const N: usize>(to: &mut [f32; N], from: &[f32]) {
    let (to, from) = (to.as_chunks_mut::<4>().0, from.as_chunks::<4>().0);
    for i in 0..N / 4 {
        Lanes::load(&from[i]).store(&mut to[i]);
    }
}

/// Four rows into the numbers from `four` on of a panel's columns.
#[inline(always)]
pub fn transpose<const N: usize>(panel: &mut [[f32; N]], four: usize, rows: [&[f32]; 4]) {
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
