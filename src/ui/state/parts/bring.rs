//! What a visitor brings: data and checkpoints of their own, looked at before they are used.

use super::file::File;
use crate::bases::OwnBase;
use crate::config::RunConfig;
use crate::model::ModelConfig;
use crate::task::user_data::{LabelledSplit, Table, UserData};
use std::rc::Rc;

/// What is looked at, and what has been brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bring {
    /// Whether the dialog is open.
    pub open: bool,
    /// What is in the field for pasting.
    pub pasted: String,
    /// What can be used of what was read last.
    pub offer: Option<Offer>,
    /// Why nothing can be used of it.
    pub fault: Option<String>,
    /// Data that the page holds, the latest last.
    pub data: Vec<UserData>,
    /// What an address asks for whose data is not here yet.
    pub wanted: Option<RunConfig>,
}

/// Something that can be used, and what a visitor still chooses of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Offer {
    /// A text to write like.
    Text {
        /// The file's name; empty for one that was pasted.
        name: String,
        /// The whole text.
        text: Rc<str>,
    },
    /// Texts with labels.
    Table {
        /// The file as it was read.
        file: File,
        /// Its rows.
        table: Rc<Table>,
        /// The column that holds the texts.
        text: usize,
        /// The column that holds the labels.
        label: usize,
        /// What these two columns give, or why they give nothing.
        read: Result<Rc<LabelledSplit>, String>,
    },
    /// A checkpoint.
    Base(OfferedBase),
}

/// A checkpoint whose weights have not been read yet.
#[derive(Clone, Debug, PartialEq)]
pub struct OfferedBase {
    /// The base as it would be registered.
    pub own: OwnBase,
    /// Its shape.
    pub model: ModelConfig,
    /// Bytes of `model.safetensors`.
    pub bytes: usize,
    /// From logical names to addresses of this page.
    pub(in crate::ui::state) files: Vec<(String, String)>,
}

impl OfferedBase {
    /// Bytes of θ at full precision, in which it is computed.
    pub fn weights(&self) -> u64 {
        4 * self.model.parameters() as u64
    }

    /// Bytes at the moment at which the file has been read and θ is there.
    pub fn loading(&self) -> u64 {
        self.weights() + self.bytes as u64
    }
}

/// What a visitor does in the dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum Bringing {
    /// Open the dialog.
    Open,
    /// Close it.
    Close,
    /// The field for pasting was edited.
    Type(String),
    /// Read what was pasted.
    ReadPasted,
    /// The column that holds the texts.
    TextColumn(usize),
    /// The column that holds the labels.
    LabelColumn(usize),
    /// A table was meant as a text.
    AsText,
    /// Keep the data as the trainer reads it, for the printed Python.
    Save,
    /// Use what is offered.
    Use,
}
