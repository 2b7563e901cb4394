//! The most bytes that a run's steps have in use.

use crate::base::memory;
use crate::model::Model;

/// What the counting allocator says of a run, where there is one.
pub(super) struct Peak {
    /// Bytes in use before φ was made, θ not counted.
    others: Option<u64>,
    /// The most in use in a step, without those.
    most: Option<u64>,
}

impl Peak {
    /// Counts from here on, on the CPU, what is in use beside what there is; θ counts as the run's.
    pub fn beside(theta: &Model, on_cpu: bool) -> Peak {
        let weights = theta.bytes();
        let others = memory::live().filter(|_| on_cpu).map(|live| (live as u64).saturating_sub(weights));
        Peak { others, most: None }
    }

    /// A step begins.
    pub fn restart(&self) {
        memory::restart();
    }

    /// A step is done, and nobody else has used the allocator meanwhile.
    pub fn take(&mut self) {
        if let (Some(peak), Some(others)) = (memory::peak(), self.others) {
            self.most = self.most.max(Some((peak as u64).saturating_sub(others)));
        }
    }

    /// Counts what was counted before, elsewhere.
    pub fn take_from(&mut self, before: Option<u64>) {
        self.most = self.most.max(before);
    }

    /// Bytes at the most, θ included.
    pub fn bytes(&self) -> Option<u64> {
        self.most
    }
}
