//! Packed numbers as F32, as ggml's `dequantize_row_*` has them.

use super::{BLOCK, Packing};

/// Unpacks whole blocks into as many numbers as there are; all must be [`finite`].
pub fn unpack(packing: Packing, packed: &[u8], numbers: &mut [f32]) {
    unpack_here(packing, packed, numbers);
}

/// The same as a part of its caller, which may be compiled for wider vectors.
#[inline(always)]
pub fn unpack_here(packing: Packing, packed: &[u8], numbers: &mut [f32]) {
    match packing {
        Packing::F32 => each(packed, numbers, f32::from_le_bytes),
        Packing::F16 => each(
            packed,
            numbers,
            #[inline(always)]
            |b| half_of(u16::from_le_bytes(b)),
        ),
        Packing::BF16 => each(
            packed,
            numbers,
            #[inline(always)]
            |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16),
        ),
        Packing::Q8_0 => blocks::<34>(
            packed,
            numbers,
            #[inline(always)]
            |block, numbers| {
                let d = half(block, 0);
                let Some(bytes) = block.last_chunk::<BLOCK>() else { return };
                for i in 0..BLOCK {
                    numbers[i] = d * f32::from(bytes[i] as i8);
                }
            },
        ),
        Packing::Q4_0 => blocks::<18>(
            packed,
            numbers,
            #[inline(always)]
            |block, numbers| {
                let d = half(block, 0);
                nibbles(
                    block,
                    numbers,
                    #[inline(always)]
                    |q| d * (f32::from(q) - 8.0),
                );
            },
        ),
        Packing::Q4_1 => blocks::<20>(
            packed,
            numbers,
            #[inline(always)]
            |block, numbers| {
                let (d, smallest) = (half(block, 0), half(block, 2));
                nibbles(
                    block,
                    numbers,
                    #[inline(always)]
                    |q| d * f32::from(q) + smallest,
                );
            },
        ),
    }
}

/// A finite number of half precision, without a branch: many at once.
#[inline(always)]
pub fn half_of(bits: u16) -> f32 {
    // The exponent's bias is 112 less.
    let size = f32::from_bits(u32::from(bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
    f32::from_bits(size.to_bits() | u32::from(bits & 0x8000) << 16)
}

/// Whether all numbers of whole blocks are finite.
pub fn finite(packing: Packing, packed: &[u8]) -> bool {
    // An exponent of ones stands for what is none. Scales lie in front of their block.
    let half = |bytes: &[u8]| u16::from_le_bytes([bytes[0], bytes[1]]) & 0x7c00 != 0x7c00;
    let (_, width) = packing.block();
    let mut blocks = packed.chunks_exact(width);
    match packing {
        Packing::F32 => blocks.all(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]).is_finite()),
        Packing::BF16 => blocks.all(|b| u16::from_le_bytes([b[0], b[1]]) & 0x7f80 != 0x7f80),
        Packing::F16 | Packing::Q8_0 | Packing::Q4_0 => blocks.all(half),
        Packing::Q4_1 => blocks.all(|b| half(b) && half(&b[2..])),
    }
}

#[inline(always)]
fn each<const N: usize>(packed: &[u8], numbers: &mut [f32], of: impl Fn([u8; N]) -> f32) {
    // Loops rather than folds, which would be functions of their own, in vectors that every processor has.
    for (x, bytes) in numbers.iter_mut().zip(packed.as_chunks::<N>().0) {
        *x = of(*bytes);
    }
}

#[inline(always)]
fn blocks<const N: usize>(packed: &[u8], numbers: &mut [f32], of: impl Fn(&[u8; N], &mut [f32; BLOCK])) {
    let (packed, (numbers, _)) = (packed.as_chunks::<N>().0, numbers.as_chunks_mut::<BLOCK>());
    for (block, numbers) in packed.iter().zip(numbers) {
        of(block, numbers);
    }
}

#[inline(always)]
fn half(block: &[u8], at: usize) -> f32 {
    half_of(u16::from_le_bytes([block[at], block[at + 1]]))
}

/// The lower halves of the last 16 bytes are the first numbers, the upper halves those behind them.
#[inline(always)]
fn nibbles<const N: usize>(block: &[u8; N], numbers: &mut [f32; BLOCK], of: impl Fn(u8) -> f32) {
    // Of lengths that are known, so that the loops become whole vectors.
    let Some(bytes) = block.last_chunk::<{ BLOCK / 2 }>() else { return };
    for i in 0..BLOCK / 2 {
        numbers[i] = of(bytes[i] & 15);
    }
    for i in 0..BLOCK / 2 {
        numbers[BLOCK / 2 + i] = of(bytes[i] >> 4);
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use super::*;
    use half::f16;

    fn unpacked(packing: Packing, packed: &[u8], n: usize) -> Vec<f32> {
        let mut numbers = vec![f32::NAN; n];
        unpack(packing, packed, &mut numbers);
        numbers
    }

    #[test]
    fn half_precision_is_read_as_its_crate_reads_it() {
        for bits in (0..=u16::MAX).filter(|bits| f16::from_bits(*bits).is_finite()) {
            assert_eq!(half_of(bits).to_bits(), f16::from_bits(bits).to_f32().to_bits(), "{bits:#x}");
        }
    }

    #[test]
    fn what_is_no_finite_number_is_found_in_every_packing() {
        for packing in Packing::ALL {
            let mut block = vec![0; 2 * packing.block().1];
            assert!(finite(packing, &block), "{packing:?}");
            // Infinity where a number or a scale stands, in the second block.
            let (at, infinity) = match packing {
                Packing::F32 => (4, f32::INFINITY.to_le_bytes().to_vec()),
                Packing::BF16 => (2, half::bf16::INFINITY.to_le_bytes().to_vec()),
                Packing::Q4_1 => (22, f16::NAN.to_le_bytes().to_vec()),
                _ => (packing.block().1, f16::NEG_INFINITY.to_le_bytes().to_vec()),
            };
            block[at..at + infinity.len()].copy_from_slice(&infinity);
            assert!(!finite(packing, &block), "{packing:?}");
        }
    }

    #[test]
    fn blocks_unpack_to_scale_times_number() {
        let two = f16::from_f32(2.0).to_le_bytes();
        let half = f16::from_f32(0.5).to_le_bytes();
        // −128, −1, 0, 1, … in turns.
        let bytes: Vec<u8> = (0..32).map(|i| [128, 255, 0, 1][i % 4]).collect();
        let numbers = unpacked(Packing::Q8_0, &[&half[..], &bytes].concat(), 32);
        assert_eq!(numbers[..5], [-64.0, -0.5, 0.0, 0.5, -64.0]);
        // Byte i holds i below and 15 − i above.
        let bytes: Vec<u8> = (0..16).map(|i| i | (15 - i) << 4).collect();
        let numbers = unpacked(Packing::Q4_0, &[&two[..], &bytes].concat(), 32);
        assert_eq!((numbers[0], numbers[15], numbers[16], numbers[31]), (-16.0, 14.0, 14.0, -16.0));
        let numbers = unpacked(Packing::Q4_1, &[&two[..], &half, &bytes].concat(), 32);
        assert_eq!((numbers[0], numbers[15], numbers[16], numbers[31]), (0.5, 30.5, 30.5, 0.5));
        for packing in Packing::ALL {
            let (n, bytes) = packing.block();
            assert_eq!(unpacked(packing, &vec![0; 3 * bytes], 3 * n), vec![0.0; 3 * n], "{packing:?}");
        }
    }
}
