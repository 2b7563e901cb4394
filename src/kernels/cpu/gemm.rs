//! Products of matrices in slices: natively by the `gemm` crate that Flex stands on, in a browser by
//! [`wasm::gemm`](crate::kernels::wasm::gemm). Called here directly, a product reads heads where they lie and
//! adds to what is there already; through Flex its output is cleared, copied once for alignment, and added to
//! in further passes.

use super::view::{View, Write};

/// left·right into `out`, `[left.rows(), right.columns()]` in rows that begin `stride` elements apart.
pub fn multiply(out: &mut [f32], stride: usize, write: Write, left: View<'_>, right: View<'_>) {
    let (m, n, k) = (left.rows(), right.columns(), left.columns());
    assert_eq!(k, right.rows(), "inner dimensions differ");
    assert!(m * n == 0 || (stride >= n && (m - 1) * stride + n <= out.len()), "the product does not fit");
    #[cfg(target_arch = "wasm32")]
    crate::kernels::wasm::gemm::multiply(out, stride, write, left, right);
    #[cfg(not(target_arch = "wasm32"))]
    library(out, stride, write, left, right);
}

/// By `gemm`, which has the processor's widest vectors; a browser has none of them.
#[cfg(not(target_arch = "wasm32"))]
fn library(out: &mut [f32], stride: usize, write: Write, left: View<'_>, right: View<'_>) {
    let (m, n, k) = (left.rows(), right.columns(), left.columns());
    // SAFETY: `View` and the asserts of `multiply` keep every element inside its slice, and rows of `out`
    // apart from each other.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride as isize,
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

#[cfg(test)]
mod tests {
    use super::*;

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
    #[should_panic(expected = "4 × 6 by 9")]
    fn a_view_beyond_its_slice_is_refused() {
        View::spaced(&[0.0; 32], 4, 6, 9);
    }
}
