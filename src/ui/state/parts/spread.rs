//! How much in-context learning depends on its prompt.

use crate::config::RunConfig;
use crate::protocol::SpreadKind;

/// One prompt's score.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompted {
    /// In what it differs from the present prompt.
    pub kind: SpreadKind,
    /// Its difference, in words.
    pub what: String,
    /// `None` where it does not fit.
    pub accuracy: Option<f64>,
    /// Where the likeliest of all tokens counts.
    pub free: Option<f64>,
}

/// Scores of several prompts of a kind, as shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// Their mean.
    pub mean: f64,
    /// The worst.
    pub low: f64,
    /// The best.
    pub high: f64,
    /// How many.
    pub draws: usize,
}

/// What was measured around one configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The configuration around which it was measured.
    pub config: RunConfig,
    /// The prompts scored so far.
    pub prompts: Vec<Prompted>,
    /// Questions after each.
    pub n: usize,
    /// Prompts in all.
    pub of: usize,
    /// Still being measured.
    pub running: bool,
}

impl Spread {
    /// Scores of the prompts of a kind.
    pub fn scores(&self, kind: SpreadKind, value: impl Fn(&Prompted) -> Option<f64>) -> Option<Scores> {
        let values: Vec<f64> = self.prompts.iter().filter(|p| p.kind == kind).filter_map(value).collect();
        let (low, high) = values.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(*v), b.max(*v)));
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (!values.is_empty()).then_some(Scores { mean, low, high, draws: values.len() })
    }

    /// Where the likeliest of all tokens counts: with no demonstrations, with random labels, with true ones.
    pub fn from_nothing(&self) -> Option<[Scores; 3]> {
        let free = |kind| self.scores(kind, |p| p.free);
        Some([free(SpreadKind::Nothing)?, free(SpreadKind::RandomLabels)?, free(SpreadKind::Own)?])
    }
}
