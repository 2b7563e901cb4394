//! Where a session's examples come from, and how they become batches.

mod baselines;
mod batch;
mod demonstrations;
mod file;
mod form;
mod source;
mod task_data;
#[cfg(test)]
mod tests;
mod typed;

pub use batch::{Batch, of_labels};
pub use file::TaskFile;
pub use task_data::TaskData;
pub use typed::Typed;
