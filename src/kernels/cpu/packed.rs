//! Products with a packed matrix: a panel of its rows is unpacked, multiplied while it is in the cache, and
//! overwritten by the next.

use super::gemm::multiply;
use super::view::{View, Write};
use crate::base::packing::unpack;
use crate::kernels::PackedLayout;
use std::ops::Range;

/// Numbers that are unpacked at once: a megabyte, so that they stay in the second cache until they are used.
const PANEL: usize = 1 << 18;

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
        unpack(self.layout.packing, &self.bytes[rows.start * width..rows.end * width], numbers);
    }

    /// left·matrix into `out`, rows of as many numbers as the matrix has columns. What a product needs of the
    /// matrix is at hand for a panel of rows at a time, never for all.
    pub fn multiplied_by(&self, left: View<'_>, out: &mut [f32], write: Write) {
        let PackedLayout { rows, columns, transposed, .. } = self.layout;
        let [k, n] = self.layout.dims();
        assert_eq!(left.columns(), k, "inner dimensions differ");
        let height = panel_rows(columns).min(rows);
        let mut panel = vec![0.0; height * columns];
        for top in (0..rows).step_by(height.max(1)) {
            let height = height.min(rows - top);
            let panel = &mut panel[..height * columns];
            self.rows(top..top + height, panel);
            let panel = View::new(panel, height, columns);
            if transposed {
                // The panel gives some columns of the product.
                multiply(&mut out[top..], n, write, left, panel.transposed());
            } else {
                // Or a part of every sum.
                let write = if top == 0 { write } else { Write::Add };
                multiply(out, n, write, left.of_columns(top..top + height), panel);
            }
        }
    }
}

/// Rows of a panel: as many as fit, in whole tiles of a product.
fn panel_rows(columns: usize) -> usize {
    (PANEL / columns.max(1) / 32 * 32).max(32)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::base::packing::{Packing, pack};
    use crate::base::{standard_normal, stream};

    #[test]
    fn a_product_is_that_of_the_unpacked_matrix_in_every_packing_and_either_way() {
        let mut rng = stream(0, "packed");
        let mut draw = |n: usize| (0..n).map(|_| standard_normal(&mut rng)).collect::<Vec<f32>>();
        // More rows than a panel has, and no multiple of its height.
        let (rows, columns) = (2 * panel_rows(4096) + 5, 4096);
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
                let left = draw(3 * k);
                let left = View::new(&left, 3, k);
                let (mut expected, mut found) = (vec![0.5; 3 * n], vec![0.5; 3 * n]);
                for write in [Write::Replace, Write::Add] {
                    multiply(&mut expected, n, write, left, dense);
                    view.multiplied_by(left, &mut found, write);
                    let most = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(most < 1e-3, "{layout:?}: {most}");
                }
            }
        }
    }
}
