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
    /// Mean over the prompts of a kind.
    pub fn mean(&self, kind: SpreadKind, value: impl Fn(&Prompted) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.prompts.iter().filter(|p| p.kind == kind).filter_map(value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Where the likeliest of all tokens counts: with no demonstrations, with random labels, with true ones.
    pub fn from_nothing(&self) -> Option<[f64; 3]> {
        let free = |kind| self.mean(kind, |p| p.free);
        Some([free(SpreadKind::Nothing)?, free(SpreadKind::RandomLabels)?, free(SpreadKind::Own)?])
    }
}
