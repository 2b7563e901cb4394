//! When a run is evaluated, and on how much.

use crate::config::RunConfig;
use crate::model::{is_large, is_small_beside};

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
    /// The same of what the run starts from.
    pub at_start: usize,
    /// Held-out examples at the end.
    pub at_end: usize,
    /// Whether what a run starts from is scored after its first step, from a copy of φ: a visitor waits for the step
    /// alone.
    pub start_later: bool,
}

impl Evaluations {
    /// Some thirty a run on a small base; twice as many of the short `rules` ones, where letters turn right in a
    /// few steps. On a large one they may take a tenth of the run: half of it on the way, half at the end. A
    /// step of training counts as two passes forward for each of its examples, the least that it takes. What an
    /// evaluation reads `beside` its own examples, for answers that are shown and for what is kept, counts as so many
    /// of them. Each example is read `readings` times. Who asks for more at the end gets as many, and of a large base as
    /// many at the start: what it knows without training is read beside it.
    pub fn of(config: &RunConfig, parameters: u64, beside: usize, readings: usize) -> Evaluations {
        let every = |points: usize| (config.steps / points.max(1)).max(1);
        let asked = |by_size: usize| config.scored.unwrap_or(by_size);
        if !is_large(parameters) {
            let points = if config.task.is_strings() { 60 } else { 30 };
            return Evaluations {
                every: every(points),
                live: LIVE,
                at_start: LIVE,
                at_end: asked(usize::MAX),
                start_later: false,
            };
        }
        if !config.trains() {
            return Evaluations { every: 1, live: FEWEST, at_start: FEWEST, at_end: asked(ALONE), start_later: false };
        }
        let half = config.steps.saturating_mul(config.batch_size()) / (10 * readings.max(1));
        let points = (half / (FEWEST + beside)).clamp(2, 30);
        let live = (half / points).saturating_sub(beside).clamp(FEWEST, LIVE);
        let start_later = is_small_beside(config.trainable(), parameters);
        let at_end = asked(half.max(2 * FEWEST));
        let at_start = if config.scored.is_some() { at_end.max(live) } else { live };
        // None right before the end, which is scored on more.
        let every = config.steps.div_ceil(points).max(1);
        Evaluations { every, live, at_start, at_end, start_later }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(address: &str) -> RunConfig {
        RunConfig::from_hash(address).0
    }

    #[test]
    fn a_small_base_is_scored_as_ever() {
        let rules = Evaluations::of(&run("#base=rules&task=rules&steps=300"), 205_568, 20, 1);
        assert_eq!(rules, Evaluations { every: 5, live: 140, at_start: 140, at_end: usize::MAX, start_later: false });
        let authors = Evaluations::of(&run("#base=prose-small&task=authors&steps=300"), 3_454_976, 20, 1);
        assert_eq!(
            authors,
            Evaluations { every: 10, live: 140, at_start: 140, at_end: usize::MAX, start_later: false }
        );
    }

    #[test]
    fn on_a_large_base_evaluations_take_a_tenth() {
        for (steps, batch, beside) in [(100, 8, 0), (300, 16, 6), (1000, 4, 6), (2000, 32, 40), (300, 8, 21)] {
            let config = run(&format!("#base=prose-small&task=authors&steps={steps}&batch_size={batch}"));
            let Evaluations { every, live, at_end, .. } = Evaluations::of(&config, 134_515_008, beside, 1);
            let read = steps / every * (live + beside) + at_end;
            // Of two passes forward a trained example, and one evaluation more.
            assert!(10 * read <= 2 * steps * batch + 10 * 2 * (live + beside), "{steps} {batch} {beside}: {read}");
            assert!(live >= 16 && at_end >= 32 && every >= 1);
        }
    }

    #[test]
    fn who_is_read_more_often_is_scored_on_fewer() {
        let config = run("#base=prose-small&task=authors&steps=300&batch_size=16");
        let of = |readings| Evaluations::of(&config, 134_515_008, 0, readings);
        assert_eq!((of(1).at_end, of(2).at_end, of(3).at_end), (480, 240, 160));
    }

    #[test]
    fn who_asks_for_more_at_the_end_gets_as_many() {
        for (method, parameters) in [("lora", 1 << 30), ("icl", 1 << 30), ("lora", 3_454_976)] {
            let address = format!("#base=prose-small&task=authors&steps=25&batch_size=8&method={method}");
            let of = |scored: &str| Evaluations::of(&run(&format!("{address}{scored}")), parameters, 6, 1);
            let told = of("&scored=300");
            let trains_large = method == "lora" && parameters == 1 << 30;
            assert_eq!((told.at_end, told.at_start == 300), (300, trains_large), "{method} {parameters}");
            assert_eq!(Evaluations { at_end: of("").at_end, at_start: of("").at_start, ..told }, of(""));
        }
    }

    #[test]
    fn none_stands_right_before_the_end() {
        for steps in [3, 25, 47, 50, 101] {
            let config = run(&format!("#base=prose-small&task=authors&steps={steps}&batch_size=8"));
            let every = Evaluations::of(&config, 1 << 30, 6, 1).every;
            let left = steps % every;
            assert!(left == 0 || 4 * left >= every, "{steps}: every {every}");
        }
    }

    #[test]
    fn a_short_run_is_evaluated_all_the_same() {
        let config = run("#base=prose-small&task=authors&steps=3&batch_size=1");
        assert_eq!(
            Evaluations::of(&config, 1 << 30, 6, 1),
            Evaluations { every: 2, live: 16, at_start: 16, at_end: 32, start_later: true }
        );
    }

    #[test]
    fn a_visitor_waits_for_the_first_step_alone_where_a_second_phi_weighs_little() {
        // φ of 3,454,976 numbers, or of a few hundred.
        for (method, later) in [("full", false), ("lora", true), ("prompt", true), ("icl", false)] {
            let config = run(&format!("#base=prose-small&task=authors&method={method}"));
            assert_eq!(Evaluations::of(&config, 34_000_000, 6, 1).start_later, later, "{method}");
        }
    }
}
