//! What leaves and enters the lab: recorded runs.

pub mod run_file;

pub use run_file::{RunFile, RunFileError};
