//! The tabs above the chart.

/// The measures that the chart draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Share of held-out examples right.
    #[default]
    Accuracy,
    /// Loss on held-out examples and, for the chosen run, on training batches.
    Loss,
    /// Norm of the gradient.
    Gradient,
    /// What the base could do before.
    Kept,
}

impl Tab {
    /// In the order in which they stand.
    pub const ALL: [Tab; 4] = [Tab::Accuracy, Tab::Loss, Tab::Gradient, Tab::Kept];

    /// Its name in what is kept.
    pub fn name(self) -> &'static str {
        match self {
            Tab::Accuracy => "accuracy",
            Tab::Loss => "loss",
            Tab::Gradient => "gradient",
            Tab::Kept => "kept",
        }
    }
}
