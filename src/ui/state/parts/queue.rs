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
    pub values: String,
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
    Methods,
    Axis,
    Values,
    Seeds,
}

/// Runs that wait, and what those before them gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
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
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Runs that have ended.
    pub fn done(&self) -> usize {
        self.of - self.waiting.len() - usize::from(self.running.is_some())
    }
}
