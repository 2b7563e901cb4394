//! F32 as packed numbers, as ggml's `quantize_row_*_ref` has them.

use super::{BLOCK, Packing};
use half::{bf16, f16};

/// Packs rows of whole blocks. What half precision cannot hold becomes its greatest number.
pub fn pack(packing: Packing, numbers: &[f32]) -> Vec<u8> {
    match packing {
        Packing::F32 => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Packing::F16 => numbers.iter().flat_map(|x| half(*x).to_le_bytes()).collect(),
        Packing::BF16 => numbers.iter().flat_map(|x| bf16::from_f32(*x).to_le_bytes()).collect(),
        Packing::Q8_0 => blocks(numbers, q8_0),
        Packing::Q4_0 => blocks(numbers, q4_0),
        Packing::Q4_1 => blocks(numbers, q4_1),
    }
}

fn half(x: f32) -> f16 {
    f16::from_f32(x.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()))
}

fn blocks<const N: usize>(numbers: &[f32], of: impl Fn(&[f32; BLOCK]) -> [u8; N]) -> Vec<u8> {
    numbers.as_chunks::<BLOCK>().0.iter().flat_map(of).collect()
}

/// By the greatest size: 127 steps to each side.
fn q8_0(numbers: &[f32; BLOCK]) -> [u8; 34] {
    let greatest = numbers.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
    let scale = greatest / 127.0;
    let by = inverse(scale);
    let mut block = [0; 34];
    block[..2].copy_from_slice(&half(scale).to_le_bytes());
    block[2..].iter_mut().zip(numbers).for_each(|(q, x)| *q = (x * by).round() as i8 as u8);
    block
}

/// The number of greatest size becomes −8.
fn q4_0(numbers: &[f32; BLOCK]) -> [u8; 18] {
    let greatest = numbers.iter().fold(0.0, |most: f32, x| if x.abs() > most.abs() { *x } else { most });
    let scale = greatest / -8.0;
    let by = inverse(scale);
    let mut block = [0; 18];
    block[..2].copy_from_slice(&half(scale).to_le_bytes());
    nibbles(&mut block[2..], numbers, |x| x * by + 8.5);
    block
}

/// From the smallest to the greatest in fifteen steps.
fn q4_1(numbers: &[f32; BLOCK]) -> [u8; 20] {
    let (low, high) = numbers.iter().fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
    let scale = (high - low) / 15.0;
    let by = inverse(scale);
    let mut block = [0; 20];
    block[..2].copy_from_slice(&half(scale).to_le_bytes());
    block[2..4].copy_from_slice(&half(low).to_le_bytes());
    nibbles(&mut block[4..], numbers, |x| (x - low) * by + 0.5);
    block
}

fn inverse(scale: f32) -> f32 {
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

/// The first numbers into the lower halves of the bytes, those behind them into the upper halves; from 0 to 15.
fn nibbles(bytes: &mut [u8], numbers: &[f32; BLOCK], of: impl Fn(f32) -> f32) {
    let (first, second) = numbers.split_at(BLOCK / 2);
    let number = |x: &f32| (of(*x) as u8).min(15);
    bytes.iter_mut().zip(first.iter().zip(second)).for_each(|(byte, (a, b))| *byte = number(a) | number(b) << 4);
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::base::packing::unpack;
    use crate::base::{standard_normal, stream};

    /// What comes back, and the greatest difference.
    fn there_and_back(packing: Packing, numbers: &[f32]) -> (Vec<u8>, Vec<f32>, f32) {
        let packed = pack(packing, numbers);
        let mut back = vec![f32::NAN; numbers.len()];
        unpack(packing, &packed, &mut back);
        let most = numbers.iter().zip(&back).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        (packed, back, most)
    }

    #[test]
    fn what_comes_back_lies_within_half_a_step() {
        let mut rng = stream(0, "packing");
        let numbers: Vec<f32> = (0..20 * BLOCK).map(|_| 0.05 * standard_normal(&mut rng)).collect();
        let greatest = |block: &[f32]| block.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        for packing in Packing::ALL {
            for block in numbers.chunks(BLOCK) {
                let (packed, back, most) = there_and_back(packing, block);
                let (of, bytes) = packing.block();
                assert_eq!(packed.len(), block.len() / of * bytes, "{packing:?}");
                let range =
                    block.iter().fold(f32::MIN, |a, x| a.max(*x)) - block.iter().fold(f32::MAX, |a, x| a.min(*x));
                let step = match packing {
                    Packing::F32 => 0.0,
                    Packing::F16 => greatest(block) / 1024.0,
                    Packing::BF16 => greatest(block) / 128.0,
                    Packing::Q8_0 => greatest(block) / 127.0,
                    // Up to a step where −8 stands for the greatest and 7 is the end on the other side.
                    Packing::Q4_0 => 2.0 * greatest(block) / 8.0,
                    Packing::Q4_1 => range / 15.0,
                };
                // Scales are themselves of half precision.
                assert!(
                    most <= 0.51 * step + 2e-3 * greatest(block) * f32::from(packing != Packing::F32),
                    "{packing:?}: {most} of {step}"
                );
                // What was packed once comes back the same.
                assert!(there_and_back(packing, &back).2 <= 2e-3 * greatest(block), "{packing:?}");
            }
            let (_, zeros, _) = there_and_back(packing, &[0.0; BLOCK]);
            assert_eq!(zeros, [0.0; BLOCK], "{packing:?}");
        }
    }

    #[test]
    fn bytes_are_those_of_llama_cpp_s_own_library() {
        // `gguf.quants.quantize` of gguf 0.19.0, of these numbers.
        let number = |i: u32| f64::from((i * 37) % 64) - 25.0;
        let numbers: Vec<f32> = (0..32).map(|i| (number(i) / 16.0 + f64::from(i % 5) / 7.0) as f32).collect();
        let theirs = [
            (
                Packing::F16,
                "40be253b37b9373f2534004049375bbc773db7b1403e9224f2406e3beeb8803cb7b61240db37e5418039dbba653edb2a054100342ebda53c25b6254000b28940",
            ),
            (
                Packing::BF16,
                "c8bf653f27bfe73f853e0040e93e8bbfaf3f37bec83f923c1e406e3f1ebf903fd7be0240fb3e3d40303f5bbfcd3f5b3d2140803ea6bf953fc5be054040be1140",
            ),
            (Packing::Q8_0, "f025bd26e44e0b5614d13bf843016b28e530ee58157f1edb45026c0bc832ef59f862"),
            (Packing::Q4_0, "e5b59c267a0367a3478b1478c45891259a25"),
            (Packing::Q4_1, "cf3440be40c873fb762cb752ea651a954dc853d9"),
        ];
        for (packing, theirs) in theirs {
            let ours: String = pack(packing, &numbers).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(ours, theirs, "{packing:?}");
        }
    }

    #[test]
    fn what_is_too_great_for_half_precision_stays_finite() {
        for packing in [Packing::F16, Packing::Q8_0, Packing::Q4_0, Packing::Q4_1] {
            let (_, back, _) = there_and_back(packing, &[1e20; BLOCK]);
            assert!(back.iter().all(|x| x.is_finite()), "{packing:?}: {back:?}");
        }
    }
}
