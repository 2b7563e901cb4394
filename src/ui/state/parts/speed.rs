//! How fast this machine trains, and what follows for a run that is set up.

use crate::config::RunConfig;
use crate::ledger::{Setting, parts};

/// What a worker beside the first one adds: two share a step in less than half the time that one takes, since a page
/// is drawn on the same cores.
const OF_A_HELPER: f64 = 0.7;
/// Evaluations and what else is not steps.
const BESIDE: f64 = 1.1;

/// What a probe measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Operations a second on one worker.
    pub rate: f64,
    /// Workers that would share a step.
    pub workers: usize,
}

impl Speed {
    /// Seconds of a run whose examples have so many tokens on average; `None` where nothing is trained.
    pub fn seconds(self, config: &RunConfig, tokens: usize) -> Option<f64> {
        let mut setting = Setting::of_whole(config);
        setting.batch.length = tokens.clamp(1, setting.batch.length);
        setting.batch.predicted = setting.batch.predicted.min(setting.batch.sequences * setting.batch.length);
        let training = setting.ledger().training?;
        let step = training.forward.total() + training.backward.total();
        let workers = config.workers.unwrap_or(self.workers).min(parts(config));
        let together = 1.0 + OF_A_HELPER * (workers.max(1) - 1) as f64;
        Some(BESIDE * config.steps as f64 * step / (self.rate * together))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_longer_with_steps_and_tokens_and_less_with_workers() {
        let config = |hash: &str| RunConfig::from_hash(hash).0;
        let run = config("#base=smollm2&task=sentiment&method=lora&steps=100&batch_size=8");
        let speed = |workers| Speed { rate: 3e10, workers };
        let seconds = speed(1).seconds(&run, 32).unwrap();
        // Of 134.5 M numbers 106 M are in the blocks: twice that a token forward, and as much back.
        let products = 1.1 * 100.0 * 8.0 * 32.0 * 4.0 * 106e6 / 3e10;
        assert!((0.95..1.15).contains(&(seconds / products)), "{seconds} {products}");
        assert!((speed(2).seconds(&run, 32).unwrap() - seconds / 1.7).abs() < 1e-6);
        let alone = config("#base=smollm2&task=sentiment&method=lora&steps=100&batch_size=8&workers=1");
        assert_eq!(speed(2).seconds(&alone, 32), speed(1).seconds(&run, 32));
        assert!(speed(1).seconds(&run, 64).unwrap() > 1.9 * seconds);
        // A text is never longer than the task reads.
        assert_eq!(speed(1).seconds(&run, 500), speed(1).seconds(&run, 5000));
        assert_eq!(speed(1).seconds(&config("#base=smollm2&task=sentiment&method=icl&shots=0"), 32), None);
    }
}
