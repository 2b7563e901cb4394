//! What the file of a task holds.

use crate::task::{Answered, Labelled, style};

/// The file of a task, read.
#[derive(Clone, Debug)]
pub enum TaskFile {
    /// Strings are drawn, not read.
    None,
    /// Texts with labels.
    Labelled(Labelled),
    /// Prompts with answers.
    Answered(Answered),
    /// Texts to write like.
    Texts(style::Texts),
}
