//! A row by a packed matrix whose stored rows are its columns, as a text's next token meets θ: each is unpacked in
//! registers and summed there. Panels would cost more than the product.

use super::lanes::Lanes;
use super::unpack::{Block, Q4, Q4From, Q8, half};
use crate::base::packing::{BLOCK, Packing};
use crate::kernels::cpu::packed::PackedView;
use crate::kernels::cpu::view::Write;

/// left·right into `out`. Nothing is done where the matrix lies otherwise, or is not packed by blocks: then it says so.
pub fn multiply(out: &mut [f32], write: Write, left: &[f32], right: PackedView<'_>) -> bool {
    if !right.layout().transposed {
        return false;
    }
    match right.layout().packing {
        Packing::Q8_0 => by_rows::<Q8>(out, write, left, right),
        Packing::Q4_0 => by_rows::<Q4>(out, write, left, right),
        Packing::Q4_1 => by_rows::<Q4From>(out, write, left, right),
        Packing::F32 | Packing::F16 | Packing::BF16 => return false,
    }
    true
}

fn by_rows<B: Block>(out: &mut [f32], write: Write, left: &[f32], right: PackedView<'_>) {
    let left = left.as_chunks::<BLOCK>().0;
    for (row, out) in out.iter_mut().enumerate() {
        let sum = sum::<B>(right.blocks(row, 0..right.layout().columns), left);
        *out = if write == Write::Add { *out + sum } else { sum };
    }
}

/// The sum of a stored row's numbers times those of `x`.
#[cfg_attr(all(target_arch = "wasm32", feature = "relaxed-simd"), target_feature(enable = "relaxed-simd"))]
fn sum<B: Block>(row: &[u8], x: &[[f32; BLOCK]]) -> f32 {
    let width = row.len() / x.len().max(1);
    let mut sums = [Lanes::zero(); 4];
    for (block, x) in row.chunks_exact(width.max(1)).zip(x) {
        let scale = Lanes::splat(&half(block, 0));
        let smallest = if B::FIRST == 4 { Lanes::splat(&half(block, 2)) } else { Lanes::zero() };
        let (bytes, x) = (block[B::FIRST..].as_chunks::<16>().0, x.as_chunks::<4>().0);
        for part in 0..2 {
            let numbers = if B::NIBBLES { Lanes::nibbles(&bytes[0], part == 1) } else { Lanes::bytes(&bytes[part]) };
            for i in 0..4 {
                let number = B::number(numbers[i], scale, smallest);
                sums[i] = number.times_plus(Lanes::load(&x[4 * part + i]), sums[i]);
            }
        }
    }
    let mut four = [0.0; 4];
    sums[0].add(sums[1]).add(sums[2].add(sums[3])).store(&mut four);
    (four[0] + four[1]) + (four[2] + four[3])
}
