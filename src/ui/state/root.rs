//! The state whole: every part in one struct.

use super::parts::{
    Bring, Costs, Dial, Drafts, Fetched, FreeText, GpuProbe, Grid, Keeping, Launch, Loading, Notice, Queue, Recordings,
    Run, Speed, Spread, Tab, TryIt, WorkerPhase,
};
use crate::bases::Card;
use crate::config::RunConfig;
use crate::experiments::sweep::Measured;
use crate::peft::MethodConfig;
use crate::task::Labelled;
use crate::ui::assets::Manifest;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Everything the page shows follows from this.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The last configuration that trains; Train starts it.
    pub config: RunConfig,
    /// What is typed and cannot be used yet.
    pub drafts: Drafts,
    /// Methods as they were left, so that a second look finds its knobs again.
    pub(super) left_methods: Vec<MethodConfig>,
    /// Sections that the address hides.
    pub hidden: Vec<String>,
    /// Live runs, in the order in which they were started.
    pub runs: Vec<Run>,
    pub(super) recordings: BTreeMap<String, Recordings>,
    /// Examples of tasks, by their files; `None` while one is on its way.
    pub(super) data: BTreeMap<String, Option<Rc<Labelled>>>,
    /// Where the site keeps its files.
    pub manifest: Manifest,
    /// Bases that are fetched, by the logical names of their files, once one of them was chosen.
    pub(super) fetched: BTreeMap<String, Fetched>,
    /// `None` until the browser has answered.
    pub gpu: Option<GpuProbe>,
    pub(super) gpu_failed: bool,
    pub(super) workers: [WorkerPhase; 2],
    /// Parts of the WebGPU trainer's programs that are compiled, of how many.
    /// `None` where none are being compiled.
    pub(super) warming: Option<(usize, usize)>,
    /// What a trainer reads while no run waits for it.
    pub(super) loading: Option<Loading>,
    /// How fast this machine is, once it was asked and once it has answered.
    pub(super) speed: Option<Option<Speed>>,
    pub(super) launch: Option<Launch>,
    /// The run that a link starts by itself, where its base is found in the browser.
    pub(super) begins_if_here: Option<RunConfig>,
    pub(super) step_when_started: Option<u32>,
    /// The run that pauses before its first step, while it is on its way.
    pub(super) held: Option<u32>,
    pub(super) heard_at: f64,
    /// What the page says, the oldest first.
    pub notices: Vec<Notice>,
    /// The visitor's own example.
    pub try_it: TryIt,
    /// Free text, gone on with.
    pub free_text: FreeText,
    /// The visitor's own data and checkpoints.
    pub bring: Bring,
    /// The dialog of costs.
    pub costs: Costs,
    /// The visitor's own grid as it is written.
    pub grid: Grid,
    /// What the browser keeps.
    pub(super) keeping: Keeping,
    /// Runs that wait.
    pub queue: Queue,
    /// The run that a visitor chose to look at; else it is the latest.
    pub(super) looked_at: Option<u32>,
    /// λ of the chosen run.
    pub dial: Dial,
    pub(super) spread: Option<Spread>,
    /// Figures over grids of runs, by their files; `None` while one is on its way.
    pub sweeps: BTreeMap<String, Option<Rc<Measured>>>,
    /// Which of them is shown.
    pub experiment: Option<String>,
    /// Cards of bases, by id; `None` while one is on its way.
    pub cards: BTreeMap<String, Option<Rc<Card>>>,
    /// Whether the card of the present base is shown.
    pub card: bool,
    /// Whether the Python of this configuration is shown.
    pub python: bool,
    /// The measure that the chart draws.
    pub tab: Tab,
    /// Large type for a lecture hall.
    pub present: bool,
    /// Whether the help is shown.
    pub help: bool,
    /// A narrow screen: the diagram shows one block.
    pub compact: bool,
    pub(super) next_run: u32,
    pub(super) next_notice: u32,
}
