//! In how many parts a batch is computed.

use super::setting::Setting;
use crate::config::{DeviceChoice, MOST_PARTS, RunConfig};

/// Operations below which a part would mostly be bookkeeping.
const LEAST_FLOPS: f64 = 2e8;
/// What parts may cost more than the whole, where a method makes up weights in every forward pass.
const TOLERATED: f64 = 1.1;

impl<'a> Setting<'a> {
    /// A run's on the CPU, in parts as it is computed there.
    pub fn of(config: &'a RunConfig) -> Setting<'a> {
        Setting { parts: parts(config), ..Setting::of_whole(config) }
    }
}

/// Parts of a run's batches on the CPU. It follows from the configuration alone: on any number of workers the
/// same sums are made.
pub fn parts(config: &RunConfig) -> usize {
    // A GPU is one worker, and wants large products.
    let whole_only = config.methods().any(|m| m.method().draws_for_a_batch());
    let whole = Setting::of_whole(config);
    let flops = |setting: &Setting<'_>| {
        let training = setting.ledger().training;
        training.map_or(0.0, |t| t.forward.total() + t.backward.total())
    };
    let all = flops(&whole);
    let pays = |n: &usize| {
        let sequences = whole.batch.sequences;
        let part = flops(&whole.part(*n));
        sequences.is_multiple_of(*n) && part >= LEAST_FLOPS && *n as f64 * part <= TOLERATED * all
    };
    if whole_only || config.device == DeviceChoice::Webgpu || !config.trains() {
        1
    } else {
        [MOST_PARTS, 2].into_iter().find(pays).unwrap_or(1)
    }
}
