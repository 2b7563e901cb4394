//! What a visitor's data scores without a network.

use crate::task::{Baselines, Labelled, baseline};

/// The baselines of a visitor's data. Of many rows the first are enough for a figure to compare with, and do
/// not keep one waiting.
pub(super) fn measured(data: &Labelled) -> Baselines {
    const ROWS: usize = 4000;
    let classes = data.labels.len();
    let mut counts = vec![0_usize; classes];
    data.training.iter().for_each(|(label, _)| counts[*label] += 1);
    let commonest = (0..classes).max_by_key(|c| (counts[*c], std::cmp::Reverse(*c))).unwrap_or(0);
    let right = data.held_out.iter().filter(|(label, _)| *label == commonest).count();
    Baselines {
        chance: 1.0 / classes as f64,
        majority: right as f64 / data.held_out.len().max(1) as f64,
        bag_of_words: baseline::authors(&data.training[..data.training.len().min(ROWS)], &data.held_out, classes),
    }
}
