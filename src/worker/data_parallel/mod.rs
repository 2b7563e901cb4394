//! Workers that help the trainer: each is a worker of the same script, started by the trainer itself, with θ
//! of its own. What travels is φ one way and its gradient the other, as numbers in a buffer that changes
//! hands, and a line of JSON beside them.
//!
//! - `message`: what they say to each other.
//! - `pool`: the trainer's end.
//! - `serve`: the helper's end.

mod message;
mod pool;
mod serve;

pub use pool::{Workers, wanted};
