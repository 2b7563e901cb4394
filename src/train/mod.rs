//! The trainer: it knows no browser. A [`session`](Session) steps φ and reports [`Event`]s.

pub mod events;

pub use events::{Answer, Event, FailureReason, Prediction};
