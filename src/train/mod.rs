//! The trainer: it knows no browser. A [`Session`] steps φ and reports [`Event`]s.

#[cfg(feature = "train")]
pub mod data;
#[cfg(feature = "train")]
pub mod evaluate;
pub mod events;
#[cfg(feature = "train")]
mod form;
#[cfg(feature = "train")]
mod kept;
#[cfg(feature = "train")]
pub mod library;
#[cfg(feature = "train")]
pub mod optimizer;
#[cfg(feature = "train")]
pub mod parts;
#[cfg(feature = "train")]
mod preparation;
#[cfg(feature = "train")]
mod session;
#[cfg(feature = "train")]
pub mod spread;

pub use events::{Answer, Event, FailureReason, Prediction};
#[cfg(feature = "train")]
pub use session::{LIVE_EXAMPLES, Session, WARM_UPS};

/// Why a run cannot go on, with a sentence for the visitor that says the way on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub reason: FailureReason,
    pub message: String,
}
