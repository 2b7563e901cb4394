//! When a run is evaluated, and on how much.

use crate::config::RunConfig;
use crate::model::LARGE;

/// Held-out examples of a live evaluation of a small base.
const LIVE: usize = 140;
/// The fewest examples that an evaluation scores.
const FEWEST: usize = 16;
/// Examples of a large base that are scored where nothing is trained.
const ALONE: usize = 200;

/// A run's evaluations. They depend on the configuration and the base's size alone, so that a curve is the same on
/// every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Evaluations {
    /// Steps from one to the next.
    pub every: usize,
    /// Held-out examples of each.
    pub live: usize,
    /// Held-out examples at the end.
    pub at_end: usize,
}

impl Evaluations {
    /// Some thirty a run on a small base; twice as many of the short `rules` ones, where letters turn right in a
    /// few steps. On a large one they may take a tenth of the run: half of it on the way, half at the end. A
    /// step of training counts as two passes forward for each of its examples, the least that it takes. What an
    /// evaluation reads `beside` its own examples, for answers that are shown and for what is kept, counts as so many
    /// of them.
    pub fn of(config: &RunConfig, parameters: u64, beside: usize) -> Evaluations {
        let every = |points: usize| (config.steps / points.max(1)).max(1);
        if !is_large(parameters) {
            let points = if config.task.is_strings() { 60 } else { 30 };
            return Evaluations { every: every(points), live: LIVE, at_end: usize::MAX };
        }
        if !config.trains() {
            return Evaluations { every: 1, live: FEWEST, at_end: ALONE };
        }
        let half = config.steps.saturating_mul(config.batch_size()) / 10;
        let points = (half / (FEWEST + beside)).clamp(2, 30);
        let live = (half / points).saturating_sub(beside).clamp(FEWEST, LIVE);
        Evaluations { every: every(points), live, at_end: half.max(2 * FEWEST) }
    }
}

/// Whether evaluations of a base of so many parameters are rationed.
pub(super) fn is_large(parameters: u64) -> bool {
    parameters >= LARGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(address: &str) -> RunConfig {
        RunConfig::from_hash(address).0
    }

    #[test]
    fn a_small_base_is_scored_as_ever() {
        let rules = Evaluations::of(&run("#base=rules&task=rules&steps=300"), 205_568, 20);
        assert_eq!(rules, Evaluations { every: 5, live: 140, at_end: usize::MAX });
        let authors = Evaluations::of(&run("#base=prose-small&task=authors&steps=300"), 3_454_976, 20);
        assert_eq!(authors, Evaluations { every: 10, live: 140, at_end: usize::MAX });
    }

    #[test]
    fn on_a_large_base_evaluations_take_a_tenth() {
        for (steps, batch, beside) in [(100, 8, 0), (300, 16, 6), (1000, 4, 6), (2000, 32, 40), (300, 8, 21)] {
            let config = run(&format!("#base=prose-small&task=authors&steps={steps}&batch_size={batch}"));
            let Evaluations { every, live, at_end } = Evaluations::of(&config, 134_515_008, beside);
            let read = steps / every * (live + beside) + at_end;
            // Of two passes forward a trained example, and one evaluation more.
            assert!(10 * read <= 2 * steps * batch + 10 * 2 * (live + beside), "{steps} {batch} {beside}: {read}");
            assert!(live >= 16 && at_end >= 32 && every >= 1);
        }
    }

    #[test]
    fn a_short_run_is_evaluated_all_the_same() {
        let config = run("#base=prose-small&task=authors&steps=3&batch_size=1");
        assert_eq!(Evaluations::of(&config, 1 << 30, 6), Evaluations { every: 1, live: 16, at_end: 32 });
    }
}
