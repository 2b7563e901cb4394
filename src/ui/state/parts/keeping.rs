//! What the browser keeps of this page from one visit to the next.

use super::notice::Notice;
use super::own::{Own, OwnFiles, Unkept};
use super::run::{Phase, Run};
use super::schema::SCHEMA;
use crate::base::{FailureReason, read_json};
use crate::interchange::RunFile;
use crate::protocol::Event;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// What is kept of a run beside its events and φ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`SCHEMA`], when it was written.
    pub schema: u32,
    /// The tab that it belongs to: no other one writes it.
    pub tab: String,
    /// A point of a grid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub queued: bool,
    /// Taken off the page, while that can be undone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// Its tab trains it, or is about to: nobody else goes on with it while that tab is open.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
    /// Bytes of φ, with what training needs where steps are left; 0 where none was kept yet.
    #[serde(default)]
    pub bytes: u64,
}

/// A run as it is kept: all texts are as they lie in the browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its key. Keys are in the order of the runs.
    pub key: Rc<str>,
    /// A [`Head`] as JSON.
    pub head: String,
    /// Lines of a run file: what its last snapshot held, and what was heard since.
    pub text: String,
}

/// A record as it is read.
pub(in crate::ui::state) struct Kept {
    pub head: Head,
    pub file: RunFile,
}

impl Record {
    /// # Errors
    /// The end of a sentence: why it cannot be read.
    pub(in crate::ui::state) fn read(&self) -> Result<Kept, String> {
        let head: Head = read_json(&self.head).map_err(|e| format!("its first part is damaged: {e}"))?;
        if head.schema != SCHEMA {
            return Err(format!("it was written by another version of this page (schema {})", head.schema));
        }
        let mut files = RunFile::read_all(&self.text).map_err(|e| e.to_string())?;
        let file = files.pop().ok_or("it holds no run")?;
        Ok(Kept { head, file })
    }
}

impl Run {
    /// A run from its events: at its end, or where it was left.
    pub fn from_file(id: u32, file: &RunFile) -> Run {
        let mut run = Run::new(id, file.config.clone());
        file.events.iter().for_each(|event| run.apply(event));
        if run.phase.is_active() {
            run.phase = Phase::Stopped;
        }
        run
    }

    /// Whether a failure is of a question about it, or of its way back from the store, and not its own.
    pub(in crate::ui::state) fn is_only_asked(&self, reason: FailureReason) -> bool {
        let asked = matches!(reason, FailureReason::Input | FailureReason::Damaged);
        asked && self.step > 0 || !self.phase.is_active()
    }

    /// Whether it ended before its last step, and a trainer could go on with it.
    pub fn is_unfinished(&self) -> bool {
        let ended = match self.phase {
            Phase::Stopped => true,
            Phase::Failed(reason) => {
                matches!(reason, FailureReason::Crash | FailureReason::Device | FailureReason::Load)
            }
            _ => false,
        };
        ended && !self.recorded && self.config.trains() && self.step < self.steps
    }
}

/// What is asked of the browser's store.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Read all of it.
    List,
    /// A run begins, in place of what its key held; or another tab's is taken over with what it holds.
    Begin {
        /// The run's key.
        key: Rc<str>,
        /// What is kept beside its events.
        head: Head,
        /// Whether what it holds stays.
        goes_on: bool,
    },
    /// A run has reported more.
    Lines {
        /// The run's key.
        key: Rc<str>,
        /// Lines of a run file.
        text: String,
    },
    /// A run as it stands, in place of what its key held.
    Whole {
        /// The run's key.
        key: Rc<str>,
        /// What is kept beside its events.
        head: Head,
        /// Lines of a run file.
        text: String,
        /// φ as a safetensors file.
        tensors: Rc<Vec<u8>>,
    },
    /// Marks runs as taken off the page.
    Remove(Vec<Rc<str>>),
    /// Marks them as back on it, before anything else is done: the tab may end in this moment.
    Back(Vec<(Rc<str>, Head)>),
    /// Take a run for this tab, which goes on with it. No other tab gets it as long as this one is open.
    Claim {
        /// The run's key.
        key: Rc<str>,
        /// The number under which it is asked for.
        run: u32,
    },
    /// A run trains no longer: others may take it.
    Rest(Rc<str>),
    /// Takes runs out of the store.
    Erase(Vec<Rc<str>>),
    /// Keep a visitor's own data or checkpoint.
    KeepOwn {
        /// Its id, which follows from its contents.
        id: String,
        /// What is kept beside its files, as JSON.
        about: String,
        /// Logical names of its files, and where this page reads them.
        files: Vec<(String, String)>,
        /// Bytes that they may be, at most.
        most: u64,
    },
    /// Take a visitor's own out of the store, by ids.
    ForgetOwn(Vec<String>),
    /// Read a run's events and φ.
    Recall {
        /// The run's key.
        key: Rc<str>,
        /// The number under which it is asked for.
        run: u32,
    },
    /// What the page shows.
    Page(String),
}

/// What the browser's store says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// All that it holds.
    Listed {
        /// Runs, in their order.
        records: Vec<Record>,
        /// A visitor's own data and checkpoints that this tab did not know of.
        own: Vec<OwnFiles>,
        /// What the page showed.
        page: Option<String>,
        /// Other tabs of this page that are open.
        tabs: Vec<String>,
    },
    /// What another tab has changed.
    Changed {
        /// Runs as they are now.
        records: Vec<Record>,
        /// A visitor's own data and checkpoints that this tab did not know of.
        own: Vec<OwnFiles>,
        /// Keys, and ids of a visitor's own, that are no longer there.
        gone: Vec<Rc<str>>,
        /// Other tabs of this page that are open.
        tabs: Vec<String>,
    },
    /// The answer to [`Ask::Recall`].
    Recalled {
        /// The number under which it was asked for.
        run: u32,
        /// Lines of a run file.
        text: String,
        /// φ as a safetensors file, where one was kept.
        tensors: Option<Vec<u8>>,
    },
    /// The answer to [`Ask::Claim`].
    Claimed {
        /// The number under which it was asked for.
        run: u32,
        /// Whether it is this tab's now; else another tab trains it.
        granted: bool,
    },
    /// Nothing can be kept: what the browser says of it.
    Nothing(String),
    /// The answer to [`Ask::KeepOwn`].
    OwnKept {
        /// What was asked for.
        id: String,
        /// Of its files.
        bytes: u64,
        /// Why it is not kept, where it is not.
        kept: Result<(), Unkept>,
    },
    /// There was no room for something.
    Full,
    /// How much is used, and how much there is, in bytes.
    Room {
        /// By all of this site.
        used: f64,
        /// What the browser gives it.
        of: f64,
    },
}

/// What the page knows of its store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keeping {
    /// This tab's name among others.
    pub(in crate::ui::state) tab: Rc<str>,
    /// Whether the store has answered.
    pub(in crate::ui::state) open: bool,
    /// Why nothing can be kept.
    pub(in crate::ui::state) nothing: Option<String>,
    /// Whether other tabs are open, as far as was heard.
    pub(in crate::ui::state) others: bool,
    /// A visitor's own data and checkpoints that the browser keeps, or could not.
    pub(in crate::ui::state) own: Vec<Own>,
    /// The address behind `#`, as it was read last.
    pub(in crate::ui::state) hash: String,
    /// What is said once the store has answered.
    pub(in crate::ui::state) unsaid: Vec<Notice>,
    /// What was kept last of what the page shows.
    pub(in crate::ui::state) page: String,
    /// Whether the address that the page was opened with said nothing.
    pub(in crate::ui::state) bare: bool,
    /// Records that could not be read, told once: their keys, and what they hold.
    pub(in crate::ui::state) aside: Vec<(Rc<str>, String)>,
    /// The run whose φ is on its way from the store.
    pub(in crate::ui::state) recalling: Option<u32>,
    /// What came, and waits for a trainer: the run, what it reported, its φ.
    pub(in crate::ui::state) recalled: Option<(u32, Vec<Event>, Vec<u8>)>,
    /// The run that goes on once its φ is with a trainer.
    pub(in crate::ui::state) going_on: Option<u32>,
    /// Runs that are off the page, while that can be undone.
    pub(in crate::ui::state) removed: Vec<Removed>,
    /// Runs that are gathered into one file.
    pub(in crate::ui::state) gathered: Option<Gathered>,
}

/// Runs that were taken off the page together.
#[derive(Clone, Debug, PartialEq)]
pub struct Removed {
    /// The notice that says so.
    pub notice: u32,
    /// Each with the place where it stood.
    pub runs: Vec<(usize, Run)>,
}

/// Runs on their way into one file, each with its lines once they are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    /// By number, in their order.
    pub parts: Vec<(u32, Option<String>)>,
    /// How many could not be had.
    pub missing: usize,
}

/// What the page shows, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ui::state) struct Shown {
    pub schema: u32,
    /// The address behind `#`.
    pub hash: String,
    /// The key of the run that one looks at, where it was chosen.
    pub looked_at: Option<String>,
    /// The chart's measure.
    pub tab: String,
    /// The method beside the chosen one in the dialog of costs.
    pub against: String,
    /// The published model there.
    pub model: Option<String>,
}
