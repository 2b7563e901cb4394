//! When a run that trains is handed to whoever keeps it.

use super::browser::now;

/// Milliseconds between two snapshots of a run that trains, at the least.
const EVERY: f64 = 1000.0;
/// A snapshot takes at most one of so many milliseconds.
const SHARE: f64 = 20.0;

/// When the page was last given the run that trains. All times are milliseconds.
#[derive(Clone, Copy, Default)]
pub struct Snapshots {
    /// Whether anybody keeps them.
    pub on: bool,
    last: f64,
    took: f64,
}

impl Snapshots {
    /// A run begins, or goes on.
    pub fn begin(&mut self) {
        self.last = now();
    }

    /// One was taken; that began at `start`.
    pub fn taken_since(&mut self, start: f64) {
        (self.last, self.took) = (now(), now() - start);
    }

    /// Whether it is time for the next.
    pub fn are_due(&self) -> bool {
        now() - self.last >= EVERY.max(SHARE * self.took)
    }
}
