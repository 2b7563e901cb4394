//! The trainer's shell in a browser: a loop in a Web Worker, commands in, events out.
//!
//! - `backend`, `browser`, `fetch`, `post`: what the browser gives.
//! - `identify`: what tells a visitor's checkpoint from others.
//! - `inbox`: commands as they come.
//! - `data_parallel`: workers that share a step.
//! - `trainer`: bases, the run under way, and those that are put away.
//! - `commands` and `answers`: what it is asked for.
//! - `snapshots`, `keeping`: what is handed to whoever keeps a run, and when; runs that go on.
//! - `event_loop`: one step between two turns.
//! - `bench`: a step alone, for measurements.

mod answers;
mod backend;
mod bench;
mod browser;
mod commands;
mod data_parallel;
mod event_loop;
mod fetch;
mod identify;
mod inbox;
mod keeping;
mod parts;
mod post;
mod snapshots;
mod trainer;

pub use backend::Backend;
pub use event_loop::start;
