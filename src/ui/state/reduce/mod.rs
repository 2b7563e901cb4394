//! What actions do to the state, and what panels read off it.
//!
//! `dispatch.rs` hands each action to a method of [`State`](super::State).
//! These methods stand in the other files, a concern in each.

mod all_runs;
mod bring;
mod bring_base;
mod cost_dialog;
mod dial;
mod dispatch;
mod experiments;
mod fetched;
mod free_text;
mod hub;
mod keeping;
mod lengths;
mod notices;
mod own;
mod queue;
mod removal;
mod room;
mod run_files;
mod settings;
mod speed;
mod spread;
mod training;
mod try_it;
mod unfinished;
mod visible_runs;
mod workers;

pub use experiments::Line;
pub use settings::text_of;
pub use training::MainButton;
pub use visible_runs::{Role, VisibleRun};
