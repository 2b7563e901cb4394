//! What every other folder may stand on: failures, faults, random streams, time, memory. It knows no model,
//! task or method.

pub mod clock;
mod failure;
mod fault;
mod json;
pub mod memory;
mod names;
mod nfc;
pub mod packing;
mod random;
#[cfg(feature = "train")]
mod readback;

#[cfg(not(target_arch = "wasm32"))]
pub use clock::clock;
pub use failure::{Failure, FailureReason};
pub use fault::{Fault, shorten};
pub use json::{json_words, measured, read_json};
pub use names::{fingerprint, grouped, slug, stem};
pub use nfc::nfc;
pub use random::{standard_normal, stream};
#[cfg(feature = "train")]
pub use readback::read;
