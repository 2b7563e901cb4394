//! What happens to the state.

use super::parts::{
    Bringing, Costing, FetchSaid, FetchWish, File, FreeTexting, GpuProbe, GridField, HubSaid, HubWish, Remedy, Said,
    Tab, Trainer,
};
use crate::protocol::Event;
use crate::ui::assets::Manifest;

/// What a visitor, the browser or a trainer did.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The address was opened or edited.
    Hash(String),
    /// A control was set: key and text as the address writes them.
    Set(&'static str, String),
    /// A method joins the chosen one, or leaves it.
    Combine(&'static str),
    /// A control was left.
    Settle(&'static str),
    /// Train, Pause or Resume, whatever the main button says.
    Main,
    /// One step, then a pause.
    Step,
    /// Ends the run under way.
    Stop,
    /// The latest run once more, from its start.
    Rewind,
    /// Takes a live run off the page.
    Remove(u32),
    /// Takes all live runs of the present task off the page, or all of other tasks.
    RemoveAll {
        /// Those of other tasks.
        elsewhere: bool,
    },
    /// Brings back what was taken off the page last.
    Undo,
    /// Goes on with a run that was stopped or cut off.
    GoOn(u32),
    /// Saves all runs in one file.
    SaveAll,
    /// The browser's store has answered.
    Store(Said),
    /// Puts a live run's φ in the place of the one that answers now.
    LookAt(u32),
    /// Sets λ of θ ⊕ λφ.
    Dial(f64),
    /// Saves the chosen run as a file.
    SaveRun,
    /// Exports the chosen run's φ for Hugging Face PEFT.
    ExportAdapter,
    /// Folds the chosen run's φ into a copy of θ.
    MergePhi,
    /// Shows the Python that does the same, or hides it.
    Python(bool),
    /// Files that a visitor chose or dropped.
    Open(Vec<File>),
    /// What a visitor dropped cannot be taken, and why, as a sentence.
    Refuse(String),
    /// What a visitor does in the dialog of costs.
    Costing(Costing),
    /// What a visitor does with data or a checkpoint of their own.
    Bring(Bringing),
    /// What a visitor wishes of the Hub.
    Hub(HubWish),
    /// What has come from the Hub, by the number of the question.
    FromHub(u32, HubSaid),
    /// A file of this page's own making can be read at an address now: its logical name, the address.
    Published(String, String),
    /// The button of a notice: its number, and the way on that it offers.
    Remedy(u32, Remedy),
    /// Takes a notice off the page, by its number.
    Dismiss(u32),
    /// Turns the chart to another measure.
    Tab(Tab),
    /// Gives the page large type, or takes it back.
    Present,
    /// Shows the help, or hides it.
    Help(bool),
    /// The window has become narrow, or wide.
    Compact(bool),
    /// Scores in-context learning after other orders, choices, wordings and labels.
    MeasureSpread,
    /// Ends that measurement.
    StopSpread,
    /// Shows a figure over a grid of runs, or none.
    Experiment(Option<String>),
    /// A figure's file arrived, or did not.
    Sweep(String, Option<String>),
    /// A part of the visitor's own grid was edited.
    EditGrid(GridField, String),
    /// Trains the visitor's own grid, or a recorded one once more.
    RunGrid,
    /// Trains the figure that is shown once more on this machine.
    RunFigure,
    /// Takes what waits off the queue.
    StopQueue,
    /// Shows what base and task are, or hides it.
    Card(bool),
    /// A base's card arrived, or did not.
    BaseCard(String, Option<String>),
    /// A base's tokenizer arrived, or did not.
    Tokenizer(String, Option<Vec<(&'static str, String)>>),
    /// The text of one's own was edited.
    EditTryIt(String),
    /// Asks for an answer to it.
    AskTryIt,
    /// What a visitor does with free text.
    FreeText(FreeTexting),
    /// A file of recorded runs arrived, or did not.
    Recordings(String, Option<String>),
    /// A file with a task's examples arrived, or did not.
    Data(String, Option<String>),
    /// What a visitor wishes of the present base, which is one that is fetched.
    Fetch(FetchWish),
    /// What has come of a base that is fetched: the logical name of its file, and how far it is.
    Fetched(String, FetchSaid),
    /// The browser has said whether it has a GPU.
    GpuProbed(GpuProbe),
    /// The manifest was read again.
    Manifest(Manifest),
    /// What a trainer reported since the last time, and when this is (milliseconds).
    Heard(Trainer, Vec<Event>, f64),
    /// A worker ended without an event: what the browser said of it, maybe nothing.
    WorkerDied(Trainer, String),
}
