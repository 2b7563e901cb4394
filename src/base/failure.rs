//! What can go wrong while something loads or trains.

use serde::{Deserialize, Serialize};

/// Why a run cannot go on, with a sentence for the visitor that says the way on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// For scripts.
    pub reason: FailureReason,
    /// For people.
    pub message: String,
}

/// Why something failed, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// A file did not arrive, was cut short or is not what it should be.
    Load,
    /// The loss is no longer a finite number.
    Diverged,
    /// There is no WebGPU, its device was lost, or a tensor is larger than it can use.
    Device,
    /// The configuration or the typed input cannot be used.
    Input,
    /// A fault of ours: the worker ended.
    Crash,
    /// What was kept of a run is no whole φ any more, or not this run's.
    Damaged,
}
