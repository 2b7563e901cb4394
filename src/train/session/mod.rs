//! One run, from Train to its end and beyond.
//!
//! - `setup`: what a run is given, which stays as it is.
//! - `run`: the session itself, and how it begins.
//! - `advance`: a step, and what is due after it.
//! - `sharing`: the parts of a batch and the passes of an evaluation on several workers.
//! - `evaluations`: when a run is scored, and on how much.
//! - `report`: losses read back, evaluations, answers, the last event.
//! - `timing`, `peak`, `log`: milliseconds, bytes and events, kept.
//! - `unfinished`: what a run that has not ended leaves behind, and how it goes on.
//! - `warm_up`: what a GPU compiles before a run.
//! - `afterwards`: what φ is asked for beside training.

mod advance;
mod afterwards;
mod evaluations;
mod log;
mod peak;
mod report;
mod run;
mod setup;
mod sharing;
mod timing;
mod unfinished;
mod warm_up;

pub use run::Session;
pub use warm_up::WARM_UPS;
