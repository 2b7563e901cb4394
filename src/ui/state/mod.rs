//! The page's state: a plain struct, and a reducer that turns an action into the next state and the effects it asks for.
//!
//! No browser in here: time, files and workers come in as actions and go out as [`Effect`]s, so all of it is tested natively.

mod bring;
mod cost_dialog;
mod experiments;
mod notice;
mod queue;
mod run;
mod run_files;
mod settings;
mod spread;
#[cfg(test)]
mod tests;
mod training;
mod try_it;
mod verdict;
mod visible_runs;

pub use bring::{Bring, Bringing, Offer, OfferedBase};
pub use cost_dialog::{Costing, Costs};
pub use experiments::Line;
pub use notice::{Notice, NoticeTone, Remedy};
pub use queue::{Grid, GridField, OWN_GRID, Queue};
pub use run::{Curve, Evaluation, Phase, Run, duration, half_width, percent, significant};
pub use run_files::{At, Dial, File};
pub use settings::{Draft, Drafts, text_of};
pub use spread::{Prompted, Spread};
pub use training::MainButton;
pub use try_it::Own;
pub use verdict::verdict;
pub use visible_runs::{Recordings, Role, Shown};

use super::assets::{GpuStatus, Manifest};
use crate::bases::Card;
use crate::config::RunConfig;
use crate::experiments::sweep::Measured;
use crate::peft::MethodConfig;
use crate::protocol::Command;
use crate::protocol::Event;
use crate::task::Labelled;
use std::collections::BTreeMap;
use std::rc::Rc;

/// One of the two worker builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trainer {
    Cpu = 0,
    Gpu = 1,
}

/// Where a worker stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WorkerPhase {
    #[default]
    Absent,
    Booting,
    Ready {
        device: String,
    },
    Failed,
}

/// What the browser said when it was asked for a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuProbe {
    /// There is no `navigator.gpu`.
    NoApi,
    /// No adapter was given.
    NoAdapter,
    /// An adapter that computes on the CPU: right, but slower than our own CPU trainer.
    Fallback,
    Hardware,
}

/// The measures that the chart draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Accuracy,
    Loss,
    Gradient,
    /// What the base could do before.
    Kept,
}

impl Tab {
    pub const ALL: [Tab; 4] = [Tab::Accuracy, Tab::Loss, Tab::Gradient, Tab::Kept];
}

/// Everything the page shows follows from this.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The last configuration that trains; Train starts it.
    pub config: RunConfig,
    pub drafts: Drafts,
    /// Methods as they were left, so that a second look finds its knobs again.
    left_methods: Vec<MethodConfig>,
    /// Sections that the address hides.
    pub hidden: Vec<String>,
    /// Live runs, in the order in which they were started.
    pub runs: Vec<Run>,
    recordings: BTreeMap<String, Recordings>,
    /// Examples of tasks, by their files; `None` while one is on its way.
    data: BTreeMap<String, Option<Rc<Labelled>>>,
    pub manifest: Manifest,
    /// `None` until the browser has answered.
    pub gpu: Option<GpuProbe>,
    gpu_failed: bool,
    workers: [WorkerPhase; 2],
    /// Parts of the WebGPU trainer's programs that are compiled, of how many; `None` where none are being compiled.
    warming: Option<(usize, usize)>,
    launch: Option<training::Launch>,
    step_when_started: Option<u32>,
    heard_at: f64,
    pub notices: Vec<Notice>,
    pub own: Own,
    pub bring: Bring,
    pub costs: Costs,
    /// The visitor's own grid as it is written, and the runs that wait.
    pub grid: Grid,
    pub queue: Queue,
    /// The run that a visitor chose to look at; else it is the latest.
    looked_at: Option<u32>,
    pub dial: Dial,
    spread: Option<Spread>,
    /// Figures over grids of runs, by their files; `None` while one is on its way.
    pub sweeps: BTreeMap<String, Option<Rc<Measured>>>,
    /// Which of them is shown.
    pub experiment: Option<String>,
    /// Cards of bases, by id, and whether one is shown.
    pub cards: BTreeMap<String, Option<Rc<Card>>>,
    pub card: bool,
    /// Whether the Python of this configuration is shown.
    pub python: bool,
    pub tab: Tab,
    /// Large type for a lecture hall.
    pub present: bool,
    pub help: bool,
    /// A narrow screen: the diagram shows one block.
    pub compact: bool,
    next_run: u32,
    next_notice: u32,
}

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
    Step,
    Stop,
    Rewind,
    /// Takes a live run off the page.
    Remove(u32),
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
    /// What a visitor does in the dialog of costs.
    Costing(Costing),
    /// What a visitor does with data or a checkpoint of their own.
    Bring(Bringing),
    /// A file of this page's own making can be read at an address now: its logical name, the address.
    Published(String, String),
    Remedy(u32, Remedy),
    Dismiss(u32),
    Tab(Tab),
    Present,
    Help(bool),
    Compact(bool),
    /// Scores in-context learning after other orders, choices, wordings and labels.
    MeasureSpread,
    StopSpread,
    /// Shows a figure over a grid of runs, or none.
    Experiment(Option<String>),
    /// A figure's file arrived, or did not.
    Sweep(String, Option<String>),
    /// A part of the visitor's own grid was edited.
    EditGrid(GridField, String),
    /// Trains the visitor's own grid, or a recorded one once more.
    RunGrid,
    RunFigure,
    /// Takes what waits off the queue.
    StopQueue,
    /// Shows what base and task are, or hides it.
    Card(bool),
    /// A base's card arrived, or did not.
    BaseCard(String, Option<String>),
    TypeOwn(String),
    AskOwn,
    /// A file of recorded runs arrived, or did not.
    Recordings(String, Option<String>),
    /// A file with a task's examples arrived, or did not.
    Data(String, Option<String>),
    GpuProbed(GpuProbe),
    /// The manifest was read again.
    Manifest(Manifest),
    /// What a trainer reported since the last time, and when this is (milliseconds).
    Heard(Trainer, Vec<Event>, f64),
    WorkerDied(Trainer, String),
}

/// What the state asks of the browser.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start a worker, in place of one that is there.
    Boot(Trainer),
    Kill(Trainer),
    Send(Trainer, Command),
    ReplaceHash(String),
    /// Give a text an address of this page, under a logical name.
    Publish(String, String),
    /// Tell the trainers where files are, once more.
    Readdress,
    /// Gives the visitor files to keep.
    Download(Vec<File>),
    FetchRuns(String),
    /// Fetch the examples of a task.
    FetchData(String),
    /// Fetch a figure over a grid of runs.
    FetchSweep(String),
    /// Fetch the card of a base.
    FetchCard(String),
    /// Read the manifest again in a few seconds: the WebGPU trainer is still being built.
    PollManifest,
    /// Give the page its large type, or take it back.
    Present(bool),
}

impl State {
    /// The page as an address opens it, and what has to be fetched for it.
    pub fn open(manifest: Manifest, hash: &str) -> (State, Vec<Effect>) {
        let mut state = State {
            config: RunConfig::default(),
            drafts: Drafts::new(),
            left_methods: Vec::new(),
            hidden: Vec::new(),
            runs: Vec::new(),
            recordings: BTreeMap::new(),
            data: BTreeMap::new(),
            gpu: None,
            gpu_failed: false,
            warming: None,
            workers: Default::default(),
            launch: None,
            step_when_started: None,
            heard_at: 0.0,
            notices: Vec::new(),
            own: Own::default(),
            bring: Bring::default(),
            costs: Costs::default(),
            grid: Grid::default(),
            queue: Queue::default(),
            looked_at: None,
            dial: Dial::default(),
            spread: None,
            sweeps: BTreeMap::new(),
            experiment: None,
            cards: BTreeMap::new(),
            card: false,
            python: false,
            tab: Tab::default(),
            present: false,
            help: false,
            compact: false,
            // 0 means no run at all in a `predict` command.
            next_run: 1,
            next_notice: 0,
            manifest,
        };
        // The CPU trainer is small: it is there before anyone presses Train.
        let mut effects = state.boot(Trainer::Cpu);
        if state.manifest.gpu_status == GpuStatus::Building {
            effects.push(Effect::PollManifest);
        }
        effects.extend(state.read_hash(hash));
        (state, effects)
    }

    /// The next state, and what it asks of the browser.
    pub fn reduce(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Hash(hash) => return self.read_hash(&hash),
            Action::Set(key, text) => return self.set(key, &text),
            Action::Combine(name) => return self.combine(name),
            Action::Settle(key) => self.settle(key),
            Action::Main => return self.press_main(),
            Action::Step => return self.press_step(),
            Action::Stop => return self.press_stop(),
            Action::Rewind => return self.press_rewind(),
            Action::Remove(id) => return self.remove(id),
            Action::LookAt(id) => return self.look_at(id),
            Action::Dial(lambda) => return self.set_dial(lambda),
            Action::SaveRun => return self.save_run(),
            Action::ExportAdapter => return self.export_adapter(),
            Action::MergePhi => return self.merge_phi(),
            Action::Python(shown) => self.python = shown,
            Action::Open(files) => return self.open_files(files),
            Action::Costing(what) => self.costing(what),
            Action::Bring(what) => return self.bringing(what),
            Action::Published(file, address) => return self.published(file, address),
            Action::Remedy(notice, remedy) => {
                self.dismiss(notice);
                return self.remedy(remedy);
            }
            Action::Dismiss(id) => self.dismiss(id),
            Action::Tab(tab) => self.tab = tab,
            Action::Present => {
                self.present = !self.present;
                return vec![Effect::Present(self.present)];
            }
            Action::Help(open) => self.help = open,
            Action::Compact(compact) => self.compact = compact,
            Action::MeasureSpread => return self.measure_spread(),
            Action::StopSpread => return self.stop_spread(),
            Action::Experiment(key) => return self.show_experiment(key),
            Action::Sweep(key, text) => {
                let read = text.and_then(|text| serde_json::from_str(&text).ok());
                self.sweeps.insert(key, read.map(Rc::new));
            }
            Action::EditGrid(field, text) => self.edit_grid(field, text),
            Action::RunGrid => return self.run_grid(),
            Action::RunFigure => return self.run_figure(),
            Action::StopQueue => return self.stop_queue(),
            Action::Card(shown) => return self.show_card(shown),
            Action::BaseCard(id, text) => {
                let read = text.and_then(|text| serde_json::from_str(&text).ok());
                self.cards.insert(id, read.map(Rc::new));
            }
            Action::TypeOwn(text) => return self.type_own(text),
            Action::AskOwn => return self.ask_own(),
            Action::Recordings(key, text) => self.recordings_arrived(key, text.as_deref()),
            Action::Data(key, text) => self.data_arrived(key, text.as_deref()),
            Action::GpuProbed(probe) => {
                self.gpu = Some(probe);
                let mut effects = self.advance();
                effects.extend(self.prefetch());
                return effects;
            }
            Action::Manifest(manifest) => return self.read_manifest(manifest),
            Action::Heard(trainer, events, now) => return self.hear(trainer, events, now),
            Action::WorkerDied(trainer, message) => return self.worker_died(trainer, &message),
        }
        Vec::new()
    }

    /// How far the WebGPU trainer is with its programs, while it compiles them and nothing else.
    pub fn warming(&self) -> Option<(usize, usize)> {
        self.warming.filter(|_| self.active().is_none())
    }

    /// Whether a WebGPU trainer is on its way that this browser could use.
    pub fn waits_for_gpu(&self) -> bool {
        self.manifest.gpu_status == GpuStatus::Building
            && matches!(self.gpu, Some(GpuProbe::Hardware | GpuProbe::Fallback))
    }

    fn read_manifest(&mut self, manifest: Manifest) -> Vec<Effect> {
        let was_building = self.manifest.gpu_status == GpuStatus::Building;
        let before = std::mem::replace(&mut self.manifest, manifest);
        // What the visitor brought is in no manifest of the site.
        for (name, address) in before.files {
            self.manifest.files.entry(name).or_insert(address);
        }
        if self.manifest.gpu_status == GpuStatus::Building {
            return vec![Effect::PollManifest];
        }
        if was_building && self.manifest.gpu_worker().is_some() && self.gpu == Some(GpuProbe::Hardware) {
            let text = "The WebGPU trainer is built and ready.".to_string();
            return self.say(NoticeTone::Info, text, Some(Remedy::UseWebGpu));
        }
        Vec::new()
    }

    fn dismiss(&mut self, id: u32) {
        self.notices.retain(|n| n.id != id);
    }

    fn fault(&mut self, text: String, remedy: Option<Remedy>) {
        self.say(NoticeTone::Fault, text, remedy);
    }

    /// Adds a notice, once: the same sentence a second time takes the place of the first.
    fn say(&mut self, tone: NoticeTone, text: String, remedy: Option<Remedy>) -> Vec<Effect> {
        self.notices.retain(|n| n.text != text);
        self.notices.push(Notice { id: self.next_notice, tone, text, remedy });
        self.next_notice += 1;
        Vec::new()
    }
}
