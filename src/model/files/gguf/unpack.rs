//! Packed numbers as F32, as ggml's `dequantize_row_*` has them.

use super::kind::Kind;
use half::{bf16, f16};

/// Numbers that are packed together.
const BLOCK: usize = 32;

/// Unpacks whole blocks into as many numbers as there are.
pub fn unpack(kind: Kind, packed: &[u8], numbers: &mut [f32]) {
    match kind {
        Kind::F32 => each(packed, numbers, f32::from_le_bytes),
        Kind::F16 => each(packed, numbers, |b| f16::from_le_bytes(b).to_f32()),
        Kind::BF16 => each(packed, numbers, |b| bf16::from_le_bytes(b).to_f32()),
        Kind::Q8_0 => blocks::<34>(packed, numbers, |block, numbers| {
            let d = half(block, 0);
            numbers.iter_mut().zip(&block[2..]).for_each(|(x, q)| *x = d * f32::from(*q as i8));
        }),
        Kind::Q4_0 => blocks::<18>(packed, numbers, |block, numbers| {
            let d = half(block, 0);
            nibbles(&block[2..], numbers, |q| d * (f32::from(q) - 8.0));
        }),
        Kind::Q4_1 => blocks::<20>(packed, numbers, |block, numbers| {
            let (d, smallest) = (half(block, 0), half(block, 2));
            nibbles(&block[4..], numbers, |q| d * f32::from(q) + smallest);
        }),
    }
}

fn each<const N: usize>(packed: &[u8], numbers: &mut [f32], of: impl Fn([u8; N]) -> f32) {
    let (packed, _) = packed.as_chunks::<N>();
    numbers.iter_mut().zip(packed).for_each(|(x, bytes)| *x = of(*bytes));
}

fn blocks<const N: usize>(packed: &[u8], numbers: &mut [f32], of: impl Fn(&[u8; N], &mut [f32; BLOCK])) {
    let (packed, (numbers, _)) = (packed.as_chunks::<N>().0, numbers.as_chunks_mut::<BLOCK>());
    packed.iter().zip(numbers).for_each(|(block, numbers)| of(block, numbers));
}

fn half(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// The lower halves of the bytes are the first numbers, the upper halves those behind them.
fn nibbles(bytes: &[u8], numbers: &mut [f32; BLOCK], of: impl Fn(u8) -> f32) {
    let (first, second) = numbers.split_at_mut(BLOCK / 2);
    for ((low, high), byte) in first.iter_mut().zip(second).zip(bytes) {
        (*low, *high) = (of(byte & 15), of(byte >> 4));
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use super::*;

    fn unpacked(kind: Kind, packed: &[u8], n: usize) -> Vec<f32> {
        let mut numbers = vec![f32::NAN; n];
        unpack(kind, packed, &mut numbers);
        numbers
    }

    #[test]
    fn blocks_unpack_to_scale_times_number() {
        let two = f16::from_f32(2.0).to_le_bytes();
        let half = f16::from_f32(0.5).to_le_bytes();
        // −128, −1, 0, 1, … in turns.
        let bytes: Vec<u8> = (0..32).map(|i| [128, 255, 0, 1][i % 4]).collect();
        let numbers = unpacked(Kind::Q8_0, &[&half[..], &bytes].concat(), 32);
        assert_eq!(numbers[..5], [-64.0, -0.5, 0.0, 0.5, -64.0]);
        // Byte i holds i below and 15 − i above.
        let bytes: Vec<u8> = (0..16).map(|i| i | (15 - i) << 4).collect();
        let numbers = unpacked(Kind::Q4_0, &[&two[..], &bytes].concat(), 32);
        assert_eq!((numbers[0], numbers[15], numbers[16], numbers[31]), (-16.0, 14.0, 14.0, -16.0));
        let numbers = unpacked(Kind::Q4_1, &[&two[..], &half, &bytes].concat(), 32);
        assert_eq!((numbers[0], numbers[15], numbers[16], numbers[31]), (0.5, 30.5, 30.5, 0.5));
        for kind in Kind::ALL {
            let (n, bytes) = kind.block();
            assert_eq!(unpacked(kind, &vec![0; 3 * bytes], 3 * n), vec![0.0; 3 * n], "{kind:?}");
        }
    }
}
