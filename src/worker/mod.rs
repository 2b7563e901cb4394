//! The trainer's shell in a browser: its loop in a Web Worker, and the workers that share its steps.

mod data_parallel;
pub mod runtime;
