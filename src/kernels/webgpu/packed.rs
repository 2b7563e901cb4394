//! Matrices that stay packed: in products, whose programs unpack what they load, and their rows in single precision.

use super::shader::{Shader, empty};
use crate::base::packing::Packing;
use crate::kernels::PackedLayout;
use burn::tensor::DType;
use burn_wgpu::{CubeTensor, into_contiguous};

pub const FUNCTIONS: &str = include_str!("packed.wgsl");
const UNPACK: Shader = Shader::new(include_str!("unpack.wgsl"), [256, 1]).calling(FUNCTIONS);

/// A layout's constants in `packed.wgsl`, with others.
macro_rules! constants {
    ($layout:expr $(, $other:expr)*) => {
        match ($layout.packing, $layout.transposed) {
            (Packing::F32, false) => &[("PACKING", 0), ("TURNED", 0), $($other),*],
            (Packing::F32, true) => &[("PACKING", 0), ("TURNED", 1), $($other),*],
            (Packing::F16, false) => &[("PACKING", 1), ("TURNED", 0), $($other),*],
            (Packing::F16, true) => &[("PACKING", 1), ("TURNED", 1), $($other),*],
            (Packing::BF16, false) => &[("PACKING", 2), ("TURNED", 0), $($other),*],
            (Packing::BF16, true) => &[("PACKING", 2), ("TURNED", 1), $($other),*],
            (Packing::Q8_0, false) => &[("PACKING", 3), ("TURNED", 0), $($other),*],
            (Packing::Q8_0, true) => &[("PACKING", 3), ("TURNED", 1), $($other),*],
            (Packing::Q4_0, false) => &[("PACKING", 4), ("TURNED", 0), $($other),*],
            (Packing::Q4_0, true) => &[("PACKING", 4), ("TURNED", 1), $($other),*],
            (Packing::Q4_1, false) => &[("PACKING", 5), ("TURNED", 0), $($other),*],
            (Packing::Q4_1, true) => &[("PACKING", 5), ("TURNED", 1), $($other),*],
        }
    };
}

/// Products whose right factors are packed. The constants are chosen at each launch, all else is fixed.
#[derive(Clone, Copy)]
pub enum Program {
    /// Of one product.
    Alone,
    /// With a bias.
    Bias,
    /// Added to a matrix.
    Added,
    /// Two with one left factor.
    Two,
    /// Three with one left factor.
    Three,
}

impl Program {
    /// Of a product's program, for a layout.
    pub fn of(self, product: Shader, layout: PackedLayout) -> Shader {
        product.with(match self {
            Program::Alone => constants!(layout, ("PACKED", 1)),
            Program::Bias => constants!(layout, ("PACKED", 1), ("BIAS", 1)),
            Program::Added => constants!(layout, ("PACKED", 1), ("ADD", 0)),
            Program::Two => constants!(layout, ("PACKED", 1), ("MANY", 1), ("PRODUCTS", 2)),
            Program::Three => constants!(layout, ("PACKED", 1), ("MANY", 1), ("PRODUCTS", 3)),
        })
    }
}

/// Stored rows in single precision: all, or those of the ids.
pub fn rows(words: &CubeTensor, ids: Option<&CubeTensor>, layout: PackedLayout) -> CubeTensor {
    let layout = PackedLayout { transposed: false, ..layout };
    let rows = ids.map_or(layout.rows, |ids| ids.meta.shape().num_elements());
    let out = empty(words, [rows, layout.columns]);
    let info = [rows as u32, layout.columns as u32];
    let groups = [(rows * layout.columns.div_ceil(4)).div_ceil(256), 1];
    match ids {
        None => UNPACK.with(constants!(layout)).launch(&[words], &[&out], &info, groups),
        Some(ids) => {
            debug_assert_eq!(ids.dtype, DType::I32);
            let ids = into_contiguous(ids.clone());
            let shader = UNPACK.with(constants!(layout, ("CHOSEN", 1)));
            shader.launch(&[words, &ids], &[&out], &info, groups);
        }
    }
    out
}
