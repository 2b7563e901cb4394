//! Matrices that stay packed: their rows in single precision.

use super::shader::{Shader, empty};
use crate::base::packing::Packing;
use crate::kernels::PackedLayout;
use burn::tensor::DType;
use burn_wgpu::{CubeTensor, into_contiguous};

const FUNCTIONS: &str = include_str!("packed.wgsl");

/// A packing's number in `packed.wgsl`, with other constants.
macro_rules! constants {
    ($packing:expr, $($other:expr),*) => {
        match $packing {
            Packing::F32 => &[("PACKING", 0), $($other),*],
            Packing::F16 => &[("PACKING", 1), $($other),*],
            Packing::BF16 => &[("PACKING", 2), $($other),*],
            Packing::Q8_0 => &[("PACKING", 3), $($other),*],
            Packing::Q4_0 => &[("PACKING", 4), $($other),*],
            Packing::Q4_1 => &[("PACKING", 5), $($other),*],
        }
    };
}

/// Stored rows in single precision: all, or those of the ids.
pub fn rows(words: &CubeTensor, ids: Option<&CubeTensor>, layout: PackedLayout) -> CubeTensor {
    const UNPACK: Shader = Shader::new(include_str!("unpack.wgsl"), [256, 1]).calling(FUNCTIONS);
    let rows = ids.map_or(layout.rows, |ids| ids.meta.shape().num_elements());
    let out = empty(words, [rows, layout.columns]);
    let info = [rows as u32, layout.columns as u32];
    let groups = [(rows * layout.columns.div_ceil(4)).div_ceil(256), 1];
    match ids {
        None => UNPACK.with(constants!(layout.packing,)).launch(&[words], &[&out], &info, groups),
        Some(ids) => {
            debug_assert_eq!(ids.dtype, DType::I32);
            let ids = into_contiguous(ids.clone());
            let shader = UNPACK.with(constants!(layout.packing, ("CHOSEN", 1)));
            shader.launch(&[words, &ids], &[&out], &info, groups);
        }
    }
    out
}
