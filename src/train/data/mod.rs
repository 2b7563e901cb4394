//! Where a session's examples come from, and how they become batches.

mod answered;
mod baselines;
mod batch;
mod chat;
mod demonstrations;
mod file;
mod form;
mod free;
mod source;
mod task_data;
#[cfg(test)]
mod tests;
mod typed;
mod words;

pub use batch::{Batch, of_labels};
pub use chat::behind_answers;
pub use file::TaskFile;
pub use free::{Marked, said};
pub use task_data::TaskData;
pub use typed::Typed;
