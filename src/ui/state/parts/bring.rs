//! What a visitor brings: data and checkpoints of their own, looked at before they are used.

use super::file::File;
use crate::bases::{Checkpoint, OwnBase};
use crate::config::{RunConfig, Settled};
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
    /// An address whose base is not here yet, and the base's id.
    pub wanted_base: Option<(String, String)>,
    /// How many checkpoints were looked at.
    pub looked_at: u32,
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

/// A checkpoint of which only the beginnings of its files are known. The trainer reads all of them for the
/// digest that tells it from others.
#[derive(Clone, Debug, PartialEq)]
pub struct OfferedBase {
    /// Its files, and what they say.
    pub checkpoint: Checkpoint,
    /// What the page turns to with it, or why nothing can be done on it.
    pub settled: Result<Settled, String>,
    /// Of the question for its digest.
    pub number: u32,
    /// Bytes read for the digest, of how many.
    pub read: (u64, u64),
    /// The base, once the digest is there.
    pub own: Option<OwnBase>,
    /// The visitor uses it as soon as it is.
    pub used: bool,
    /// Names and addresses of its files.
    pub(in crate::ui::state) files: Vec<(String, String)>,
}

impl OfferedBase {
    /// Bytes of θ at full precision, in which it is computed.
    pub fn weights(&self) -> u64 {
        4 * self.checkpoint.model.parameters()
    }

    /// Bytes at the moment at which the files have been read and θ is there.
    pub fn loading(&self) -> u64 {
        self.weights() + self.checkpoint.bytes
    }

    /// How much of it has been read, in percent; `None` once all is.
    pub fn percent(&self) -> Option<u64> {
        let (done, of) = self.read;
        self.own.is_none().then(|| 100 * done / of.max(1))
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
