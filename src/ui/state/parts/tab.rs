//! The tabs above the chart.

/// The measures that the chart draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Accuracy,
    Loss,
    Gradient,
    /// What the base could do before.
    Kept,
}

impl Tab {
    pub const ALL: [Tab; 4] = [Tab::Accuracy, Tab::Loss, Tab::Gradient, Tab::Kept];
}
