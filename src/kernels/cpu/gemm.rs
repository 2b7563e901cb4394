//! Products of matrices in slices: natively by the `gemm` crate that Flex stands on, in a browser by
//! [`wasm::gemm`](crate::kernels::wasm::gemm). Called here directly, a product reads heads where they lie and
//! adds to what is there already; through Flex its output is cleared, copied once for alignment, and added to
//! in further passes.

use super::packed::PackedView;
use super::view::{View, Write};
#[cfg(not(target_arch = "wasm32"))]
use crate::kernels::PackedLayout;
#[cfg(target_arch = "wasm32")]
use crate::kernels::wasm::gemm::Right;
use crate::kernels::wasm::row;
#[cfg(not(target_arch = "wasm32"))]
use crate::trace::UNPACKED;

/// left·right into `out`, `[left.rows(), right.columns()]` in rows that begin `stride` elements apart.
pub fn multiply(out: &mut [f32], stride: usize, write: Write, left: View<'_>, right: View<'_>) {
    let (m, n, k) = (left.rows(), right.columns(), left.columns());
    assert_eq!(k, right.rows(), "inner dimensions differ");
    assert!(m * n == 0 || (stride >= n && (m - 1) * stride + n <= out.len()), "the product does not fit");
    #[cfg(target_arch = "wasm32")]
    crate::kernels::wasm::gemm::multiply(out, stride, write, left, Right::Plain(right));
    #[cfg(not(target_arch = "wasm32"))]
    library::multiply(out, stride, write, left, right);
}

/// By `gemm`, which has the processor's widest vectors; a browser has none of them.
#[cfg(not(target_arch = "wasm32"))]
mod library {
    use crate::kernels::cpu::view::{View, Write};
    use std::cell::RefCell;

    /// Up to so many rows a large transposed factor is read where it lies.
    const FEW: usize = 256;
    /// Numbers of a factor from which on that pays.
    const LARGE: usize = 1 << 16;
    /// Rows and columns that are turned at a time.
    const TILE: usize = 16;

    thread_local! {
        static TURNED: RefCell<Vec<f32>> = RefCell::default();
    }

    pub fn multiply(out: &mut [f32], stride: usize, write: Write, left: View<'_>, right: View<'_>) {
        let (m, n, k) = (left.rows(), right.columns(), left.columns());
        // As often as six rows come on a tile of `gemm`'s: for fewer rows packing a weight costs more than it saves.
        gemm::set_lhs_packing_threshold_single_thread(16);
        // `gemm` packs what it takes for the left factor, which is the right one where the product lies in rows: number
        // by number where that is transposed. Where the product lies in columns it reads it as it is.
        let turns = write == Write::Replace && right.row_stride() == 1 && right.column_stride() != 1;
        if turns && (2..=FEW).contains(&m) && n * k >= LARGE {
            TURNED.with_borrow_mut(|turned| {
                turned.resize(turned.len().max(m * n), 0.0);
                // SAFETY: the buffer has a place for each element, and the caller keeps the rest as below.
                unsafe { call(turned.as_mut_ptr(), [1, m as isize], Write::Replace, left, right) };
                turn(turned, out, m, n, stride);
            });
            return;
        }
        // SAFETY: `View` and the asserts of the caller keep every element inside its slice, and rows of `out` apart
        // from each other.
        unsafe { call(out.as_mut_ptr(), [stride as isize, 1], write, left, right) }
    }

    /// Columns of `m` numbers as rows of `n`, which begin `stride` elements apart.
    fn turn(columns: &[f32], out: &mut [f32], m: usize, n: usize, stride: usize) {
        for top in (0..m).step_by(TILE) {
            for first in (0..n).step_by(TILE) {
                for i in top..m.min(top + TILE) {
                    let row = &mut out[i * stride + first..i * stride + n.min(first + TILE)];
                    for (j, to) in row.iter_mut().enumerate() {
                        *to = columns[(first + j) * m + i];
                    }
                }
            }
        }
    }

    /// `steps` are elements from a row of the product to the next, and from a column.
    ///
    /// # Safety
    /// Every element of the product must be there, and no two the same.
    unsafe fn call(out: *mut f32, steps: [isize; 2], write: Write, left: View<'_>, right: View<'_>) {
        let (m, n, k) = (left.rows(), right.columns(), left.columns());
        // SAFETY: the caller's of `out`; a `View` keeps every element inside its slice.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                out,
                steps[1],
                steps[0],
                write == Write::Add,
                left.data().as_ptr(),
                left.column_stride(),
                left.row_stride(),
                right.data().as_ptr(),
                right.column_stride(),
                right.row_stride(),
                1.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }
}

/// left·right into `out`, rows of as many numbers as the packed right factor has columns. It is unpacked part by
/// part, while it is multiplied.
pub fn multiply_packed(out: &mut [f32], write: Write, left: View<'_>, right: PackedView<'_>) {
    let [k, n] = right.layout().dims();
    assert_eq!(left.columns(), k, "inner dimensions differ");
    assert_eq!(left.rows() * n, out.len(), "the product does not fit");
    let is_row = left.rows() == 1 && left.column_stride() == 1;
    if is_row && row::multiply(out, write, &left.from(0, 0)[..k], right) {
        return;
    }
    // That kernel packs both factors into panels anyway, and unpacks this one while it does.
    #[cfg(target_arch = "wasm32")]
    crate::kernels::wasm::gemm::multiply(out, n, write, left, Right::Packed(right));
    #[cfg(not(target_arch = "wasm32"))]
    by_slabs(out, write, left, right);
}

/// Some stored rows are unpacked, multiplied while they are in the cache, and overwritten by the next.
#[cfg(not(target_arch = "wasm32"))]
fn by_slabs(out: &mut [f32], write: Write, left: View<'_>, right: PackedView<'_>) {
    let PackedLayout { rows, columns, transposed, .. } = right.layout();
    let n = right.layout().dims()[1];
    // Whole tiles of a product.
    let height = (UNPACKED / columns.max(1) / 32 * 32).max(32).min(rows);
    let mut slab = vec![0.0; height * columns];
    for top in (0..rows).step_by(height.max(1)) {
        let height = height.min(rows - top);
        let slab = &mut slab[..height * columns];
        right.rows(top..top + height, slab);
        let slab = View::new(slab, height, columns);
        if transposed {
            // It gives some columns of the product.
            multiply(&mut out[top..], n, write, left, slab.transposed());
        } else {
            // Or a part of every sum.
            let write = if top == 0 { write } else { Write::Add };
            multiply(out, n, write, left.of_columns(top..top + height), slab);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::packing::{Packing, pack};
    use crate::base::{standard_normal, stream};

    #[test]
    fn products_of_views_are_those_of_a_loop() {
        let a: Vec<f32> = (0..40).map(|i| (i % 7) as f32 - 3.0).collect();
        let b: Vec<f32> = (0..60).map(|i| (i % 5) as f32 - 2.0).collect();
        // A 4×6 and a 6×3, each part of something wider, the second transposed; the product goes into rows of
        // 5.
        let (left, right) = (View::spaced(&a, 4, 6, 9), View::spaced(&b, 3, 6, 10).transposed());
        let mut out = vec![1.0; 20];
        multiply(&mut out, 5, Write::Add, left, right);
        for i in 0..4 {
            for j in 0..5 {
                let product: f32 = (0..6).map(|k| a[9 * i + k] * b[(10 * j + k).min(59)]).sum();
                assert_eq!(out[5 * i + j], if j < 3 { 1.0 + product } else { 1.0 }, "{i} {j}");
            }
        }
        multiply(&mut out, 5, Write::Replace, left, right);
        assert_eq!(out[0], (0..6).map(|k| a[k] * b[k]).sum::<f32>());
    }

    #[test]
    fn few_rows_meet_a_large_transposed_factor_as_any_rows_do() {
        // What lies between the product's rows stays.
        for (m, n, k) in [(3, 300, 230), (64, 257, 256), (256, 264, 250), (257, 257, 256)] {
            let left: Vec<f32> = (0..m * k).map(|i| (i % 7) as f32 - 3.0).collect();
            let right: Vec<f32> = (0..n * k).map(|i| (i % 5) as f32 - 2.0).collect();
            let (stride, mut out) = (n + 2, vec![9.0; m * (n + 2)]);
            let of_right = View::new(&right, n, k).transposed();
            multiply(&mut out, stride, Write::Replace, View::new(&left, m, k), of_right);
            for i in 0..m {
                for j in (0..stride).rev().take(20).chain([0, 1, 16, 100]) {
                    let product: f32 = (0..k).map(|l| left[i * k + l] * right[(j % n) * k + l]).sum();
                    assert_eq!(out[i * stride + j], if j < n { product } else { 9.0 }, "{m} {n} {k}: {i} {j}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "4 × 6 by 9")]
    fn a_view_beyond_its_slice_is_refused() {
        View::spaced(&[0.0; 32], 4, 6, 9);
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn a_product_is_that_of_the_unpacked_matrix_in_every_packing_and_either_way() {
        let mut rng = stream(0, "packed");
        let mut draw = |n: usize| (0..n).map(|_| standard_normal(&mut rng)).collect::<Vec<f32>>();
        // More rows than a slab has, and no multiple of its height.
        let (rows, columns) = (2 * UNPACKED / 4096 + 5, 4096);
        let numbers = draw(rows * columns);
        for packing in Packing::ALL {
            let bytes = pack(packing, &numbers);
            for transposed in [false, true] {
                let layout = PackedLayout { packing, rows, columns, transposed };
                let view = PackedView::new(&bytes, layout);
                let mut dense = vec![0.0; rows * columns];
                view.rows(0..rows, &mut dense);
                let dense = View::new(&dense, rows, columns);
                let dense = if transposed { dense.transposed() } else { dense };
                let [k, n] = layout.dims();
                // A row alone goes another way.
                for m in [1, 3] {
                    let left = draw(m * k);
                    let left = View::new(&left, m, k);
                    let (mut expected, mut found) = (vec![0.5; m * n], vec![0.5; m * n]);
                    for write in [Write::Replace, Write::Add] {
                        multiply(&mut expected, n, write, left, dense);
                        multiply_packed(&mut found, write, left, view);
                        let most = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                        assert!(most < 1e-3, "{layout:?}, {m} rows: {most}");
                    }
                }
            }
        }
    }
}
