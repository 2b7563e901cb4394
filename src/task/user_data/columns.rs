//! What two columns of a table give: labels, or answers.

use super::answers::{AnsweredSplit, answered};
use super::data::UserData;
use super::error::UserDataError;
use super::labelled::{LabelledSplit, labelled};
use super::table::Table;
use std::rc::Rc;

/// What two columns of a table give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Texts with labels.
    Labelled(Rc<LabelledSplit>),
    /// Prompts with answers.
    Answered(Rc<AnsweredSplit>),
}

impl Columns {
    /// Reads two columns: the second holds labels, or answers that are written freely.
    ///
    /// # Errors
    /// Where nothing can be made of them.
    pub fn of(table: &Table, text: usize, label: usize, are_answers: bool) -> Result<Columns, UserDataError> {
        match are_answers {
            true => answered(table, text, label, 0).map(|split| Columns::Answered(Rc::new(split))),
            false => labelled(table, text, label, 0).map(|split| Columns::Labelled(Rc::new(split))),
        }
    }

    /// The first of each row, in any order.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Columns::Labelled(data) => {
                data.training.iter().chain(&data.held_out).map(|(_, text)| text.as_str()).collect()
            }
            Columns::Answered(data) => {
                data.training.iter().chain(&data.held_out).map(|pair| pair.prompt.shown()).collect()
            }
        }
    }

    /// A task's file under a name.
    pub fn data(&self, file: &str) -> (UserData, String) {
        match self {
            Columns::Labelled(data) => UserData::labelled(file, data),
            Columns::Answered(data) => UserData::answered(file, data),
        }
    }
}
