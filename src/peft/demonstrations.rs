//! Demonstrations: examples with their answers that stand in front of a question.

/// Which demonstrations, in which order, under which labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demonstrations {
    /// k.
    pub shots: usize,
    /// Seed that draws them from the training examples.
    pub drawn_by: usize,
    /// Seed of their order; 0 leaves them as drawn.
    pub order: usize,
    /// Right labels or random ones.
    pub labels: DemonstrationLabels,
}

impl Default for Demonstrations {
    fn default() -> Self {
        Demonstrations { shots: 4, drawn_by: 0, order: 0, labels: DemonstrationLabels::True }
    }
}

/// What stands behind a demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemonstrationLabels {
    /// The example's own label.
    True,
    /// Drawn uniformly (Min et al. 2022).
    Random,
}
