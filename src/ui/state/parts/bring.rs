//! What a visitor brings: data and checkpoints of their own, looked at before they are used.

use super::file::File;
use super::hub::Hub;
use crate::bases::{Checkpoint, OwnBase};
use crate::config::{RunConfig, Settled};
use crate::model::Storage;
use crate::task::tokenizer::Tokenizer;
use crate::task::user_data::{AnsweredSplit, Columns, Table, UserData, Wish};
use std::collections::BTreeMap;
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
    /// What is asked for from the Hub.
    pub hub: Hub,
    /// How many checkpoints were looked at.
    pub looked_at: u32,
    /// Tokenizers of bases by id, with which lengths of texts are counted.
    pub(in crate::ui::state) tokenizers: BTreeMap<String, BaseTokenizer>,
    /// Texts of a task's file that are longer than what a base reads of each: by file and base.
    pub(in crate::ui::state) cut: BTreeMap<(String, String), usize>,
}

/// A base's tokenizer, as far as it is here.
#[derive(Clone)]
pub(in crate::ui::state) enum BaseTokenizer {
    /// It is on its way.
    Loading,
    /// It can be used.
    Ready(Rc<Tokenizer>),
    /// It cannot be read, and why, as a sentence.
    Unreadable(String),
}

impl PartialEq for BaseTokenizer {
    fn eq(&self, other: &BaseTokenizer) -> bool {
        match (self, other) {
            (BaseTokenizer::Ready(one), BaseTokenizer::Ready(other)) => Rc::ptr_eq(one, other),
            (BaseTokenizer::Unreadable(one), BaseTokenizer::Unreadable(other)) => one == other,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }
}

impl std::fmt::Debug for BaseTokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            BaseTokenizer::Loading => "loading",
            BaseTokenizer::Ready(_) => "ready",
            BaseTokenizer::Unreadable(_) => "unreadable",
        })
    }
}

/// Something that can be used, and what a visitor still chooses of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Offer {
    /// A text to write like.
    Text {
        /// The file as it was read; without a name where it was pasted.
        file: File,
        /// The whole text.
        text: Rc<str>,
        /// Whether it is long enough for the base, or why not; `None` until it is counted.
        check: Option<Result<(), String>>,
    },
    /// Messages of chats.
    Chats {
        /// The file as it was read.
        file: File,
        /// Answers of assistants with what was said before.
        split: Rc<AnsweredSplit>,
    },
    /// Texts with labels, or prompts with answers.
    Table {
        /// The file as it was read.
        file: File,
        /// Its rows.
        table: Rc<Table>,
        /// The column that holds the texts.
        text: usize,
        /// The column that holds the labels, or the answers.
        label: usize,
        /// Whether it holds answers that are written freely.
        answers: bool,
        /// What these two columns give, or why they give nothing.
        read: Result<Columns, String>,
        /// How its visitor wishes it to be read.
        wish: Wish,
        /// How many texts are longer than what the base reads of each; `None` until they are counted.
        longer: Option<usize>,
    },
    /// A checkpoint.
    Base(Box<OfferedBase>),
}

impl Offer {
    /// Whether a visitor can use it: what it accepts must train.
    pub fn is_usable(&self) -> bool {
        match self {
            Offer::Text { check, .. } => matches!(check, Some(Ok(()))),
            Offer::Table { read, .. } => read.is_ok(),
            Offer::Chats { .. } | Offer::Base(_) => true,
        }
    }
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
    /// Bytes of θ in the form in which the run that is set up holds it.
    pub fn weights(&self) -> u64 {
        match &self.settled {
            Ok(settled) => settled.config.theta_bytes(),
            Err(_) => Storage::F32.bytes(&self.checkpoint.model, None),
        }
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
    /// Whether the second column holds answers that are written freely.
    Answers(bool),
    /// Whether the first row names the columns.
    Header(bool),
    /// A table was meant as a text.
    AsText,
    /// A text was meant as a table.
    AsTable,
    /// Keep the data as the trainer reads it, for the printed Python.
    Save,
    /// Use what is offered.
    Use,
    /// Take something out of what the browser keeps, by its id.
    Forget(String),
}
