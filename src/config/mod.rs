//! What a run is, and the one grammar in which URL, flags and JSON write it.
//!
//! `run_config` says what a run is, [`keys`] how its settings are called and what they take (each a `key`), `grammar` how a
//! link is parsed, `check` what goes together, `settle` what gives way where base or task change.

mod check;
mod differences;
mod grammar;
mod key;
pub mod keys;
mod knob_keys;
mod run_config;
mod settle;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
mod wording;

pub use key::Key;
pub use run_config::{DeviceChoice, MOST_LAMBDA, MOST_PARTS, RunConfig};
pub use settle::Settled;
