//! A visitor's own grid, and the queue of its runs.

use crate::config::RunConfig;
use crate::experiments::sweep::Measured;
use std::collections::VecDeque;

/// The figure of a visitor's own grid, among those of the site.
pub const OWN_GRID: &str = "Your grid";

/// A grid as a visitor writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Names, separated by commas.
    pub methods: String,
    /// The key that varies.
    pub axis: String,
    /// Numbers, separated by commas.
    pub values: String,
    /// How many seeds each point has, as it is written.
    pub seeds: String,
}

impl Default for Grid {
    fn default() -> Self {
        Grid { methods: String::new(), axis: "lr".into(), values: String::new(), seeds: "1".into() }
    }
}

/// Which part of a grid a control edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GridField {
    /// [`Grid::methods`].
    Methods,
    /// [`Grid::axis`].
    Axis,
    /// [`Grid::values`].
    Values,
    /// [`Grid::seeds`].
    Seeds,
}

/// Runs that wait, and what those before them gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// In the order in which they will train.
    pub(in crate::ui::state) waiting: VecDeque<RunConfig>,
    /// Runs in all.
    pub of: usize,
    /// The run of the queue that trains now.
    pub(in crate::ui::state) running: Option<u32>,
    /// Runs that ended without a figure.
    pub failed: usize,
    /// The visitor's own grid as a figure.
    pub measured: Option<Measured>,
}

impl Queue {
    /// Whether a run of the queue trains now.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Runs that have ended.
    pub fn done(&self) -> usize {
        self.of - self.waiting.len() - usize::from(self.running.is_some())
    }
}
