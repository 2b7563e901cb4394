//! Random streams that are the same natively, in the browser and on every device.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of random numbers that is the same natively and in the browser; `purpose` keeps streams of one
/// seed apart.
pub fn stream(seed: u64, purpose: &str) -> ChaCha8Rng {
    // FNV-1a of the purpose: streams are told apart by name, not by the order in which they are made.
    let hash = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(hash);
    rng
}

/// Box–Muller, so that the stream does not depend on a library's algorithm.
pub fn standard_normal(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * rng.random::<f32>()).cos()
}
