//! What a worker holds: bases, the run under way, and those that are put away.

use super::backend::Backend;
use super::browser::now;
use super::data_parallel::{Workers, wanted};
use super::fetch::Fetch;
use super::post::{post, post_failure};
use super::snapshots::Snapshots;
use crate::base::{Failure, FailureReason};
use crate::config::RunConfig;
use crate::model::Storage;
use crate::protocol::{AssetUrls, Event};
use crate::train::library::{LoadedBase, Materials};
use crate::train::micro_batch::Helpers;
use crate::train::probe::probe;
use crate::train::rehearsal::rehearse;
use crate::train::spread::Spread;
use crate::train::writer::Writer;
use crate::train::{Session, WARM_UPS};
use burn::tensor::Device;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

/// How many earlier φ are kept.
const SHELF: usize = 24;

/// Bases, the run under way, and those that are put away.
pub struct Trainer {
    pub(super) backend: Backend,
    pub(super) device: Device,
    pub(super) files: Fetch,
    bases: HashMap<&'static str, Rc<LoadedBase>>,
    /// What the last run needed besides its base, and its configuration: the next one mostly needs the same.
    pub(super) materials: Option<(RunConfig, Rc<Materials>)>,
    pub(super) session: Option<Session>,
    /// The number of the session's run, and whether it steps.
    pub(super) run: u32,
    pub(super) running: bool,
    /// What depends on the prompt, being measured while nothing trains.
    pub(super) spread: Option<Spread>,
    /// What is being written, beside a run that steps.
    pub(super) writer: Option<Writer>,
    /// φ of earlier runs, the oldest first: θ is one for all of them.
    pub(super) shelf: VecDeque<Session>,
    pub(super) helpers: Rc<Workers>,
    pub(super) snapshots: Snapshots,
    /// The run that the page expects next: a GPU compiles for it as soon as nothing trains.
    pub(super) expected: Option<RunConfig>,
    /// What it compiles for, and the parts done.
    pub(super) warming: Option<(Session, usize)>,
    /// What it has compiled for, by [`kind`].
    warmed: HashSet<String>,
    /// The run that the page expects on a large base that this worker has read ahead, till it has rehearsed once.
    pub(super) rehearsal: Rehearsal,
}

/// Whether a worker on the CPU has gone through a large base before a run.
#[derive(Default)]
pub(super) enum Rehearsal {
    /// It has nothing to go through.
    #[default]
    Unasked,
    /// It goes through this one as soon as nothing else is to do.
    Due(Box<RunConfig>, Rc<LoadedBase>),
    /// What has run once stays compiled.
    Done,
}

impl Trainer {
    /// With nothing to do, on a device without autodiff.
    pub fn new(backend: Backend, device: Device, assets: AssetUrls) -> Trainer {
        let helpers = Rc::new(Workers::default());
        helpers.set_assets(assets.clone());
        Trainer {
            helpers,
            snapshots: Snapshots::default(),
            backend,
            device,
            files: Fetch::new(assets),
            bases: HashMap::new(),
            materials: None,
            session: None,
            run: 0,
            running: false,
            spread: None,
            writer: None,
            shelf: VecDeque::new(),
            expected: None,
            warming: None,
            warmed: HashSet::new(),
            rehearsal: Rehearsal::default(),
        }
    }

    /// Whether there is something to do without a command.
    pub fn has_work(&self) -> bool {
        let rehearses = matches!(self.rehearsal, Rehearsal::Due(..));
        let writes = self.writer.is_some();
        self.running
            || writes
            || self.spread.is_some()
            || self.warming.is_some()
            || self.expected.is_some()
            || rehearses
    }

    /// Does a piece of it: a token of a text, and a step beside it; a prompt, a part of a warm-up, or a rehearsal.
    pub async fn work(&mut self) {
        if self.writer.is_some() {
            self.write_on().await;
            if !self.running {
                return;
            }
        }
        match self.running {
            true => self.advance(false).await,
            false if self.spread.is_some() => self.measure_spread().await,
            false if self.warming.is_some() => self.warm_up().await,
            false if self.expected.is_some() => self.begin_warm_up().await,
            false => self.rehearse(),
        }
    }

    /// An event of the present run at its step.
    pub(super) fn tell(&self, event: impl Fn(u32, usize) -> Event) {
        if let Some(session) = &self.session {
            post(&event(self.run, session.step()));
        }
    }

    /// Begins a run in place of another.
    pub(super) async fn begin(&mut self, run: u32, config: RunConfig, paused: bool) -> Result<(), Failure> {
        let on_cpu = self.backend == Backend::Cpu;
        let workers = if on_cpu { wanted(&config) } else { 1 };
        // They load beside the first evaluation and steps; those that this run has no part for end.
        self.helpers.resize(workers - 1);
        self.warmed.insert(kind(&config));
        let mut session = self.session_for(run, config).await?;
        if session.theta().config.is_large() {
            self.rehearsal = Rehearsal::Done;
        }
        // All is there: what follows is the base's own score.
        post(&Event::Loading { run, what: "the base and the task".into(), done: 1, of: 1 });
        session.help((workers > 1).then(|| self.helpers.clone() as Rc<dyn Helpers>));
        session.begin().await?.iter().for_each(post);
        self.session = Some(session);
        self.running = !paused;
        self.snapshots.begin();
        if paused {
            self.tell(|run, step| Event::Paused { run, step });
        }
        // Where nothing is trained it is at its end.
        self.snapshot_if_due().await;
        Ok(())
    }

    /// Reads the task's examples ahead of a run. What is at fault with them is told when it starts.
    pub(super) fn read_examples(&self, config: &RunConfig, base: &LoadedBase) {
        if let Some((_, materials)) = &self.materials {
            drop(materials.examples(config, base));
        }
    }

    /// Lets helpers load a large base ahead of a run, so that they share its first step. A small one they load in no
    /// time. Those of a run under way stay with it.
    pub(super) fn load_helpers(&self, config: &RunConfig) {
        let idle = self.session.as_ref().is_none_or(Session::done);
        let large = config.base.config().is_ok_and(|model| model.is_large());
        // They load beside this worker.
        if idle && large && self.backend == Backend::Cpu && config.trains() {
            self.helpers.resize(wanted(config) - 1);
            self.helpers.load(config);
        }
    }

    /// Tells how fast this machine is, while nothing trains: a step beside it would be slower than it is.
    pub(super) fn probe(&self, config: &RunConfig) {
        let idle = !self.running && self.backend == Backend::Cpu;
        let model = config.base.config().ok().filter(|_| idle);
        if let Some(rate) = model.and_then(|model| probe(&model, Storage::Q4_1, &self.device, now)) {
            post(&Event::Probed { rate, workers: wanted(config) });
        }
    }

    /// Lets this worker go through a large base ahead of a run on the CPU.
    pub(super) fn expect_rehearsal(&mut self, config: &RunConfig, base: Rc<LoadedBase>) {
        let wanted = self.backend == Backend::Cpu && base.theta.config.is_large();
        if wanted && matches!(self.rehearsal, Rehearsal::Unasked) {
            self.rehearsal = Rehearsal::Due(Box::new(config.clone()), base);
        }
    }

    fn rehearse(&mut self) {
        if let Rehearsal::Due(config, base) = std::mem::take(&mut self.rehearsal)
            && rehearse(&config, &base.theta, &self.device)
        {
            self.rehearsal = Rehearsal::Done;
        }
    }

    /// A GPU would have to compile while the run's first step waits.
    async fn begin_warm_up(&mut self) {
        let Some(config) = self.expected.take() else { return };
        // A configuration at fault is told of when it starts.
        if !self.warmed.contains(&kind(&config))
            && let Ok(session) = self.session_for(0, config).await
        {
            self.warming = Some((session, 0));
            post(&Event::Warming { done: 0, of: WARM_UPS });
        }
    }

    async fn warm_up(&mut self) {
        let Some((session, done)) = &mut self.warming else { return };
        let warmed = session.warm_up(*done).await;
        *done += 1;
        let done = *done;
        // A device that fails here fails the run that comes next, which tells.
        if warmed.is_err() || done == WARM_UPS {
            self.warmed.insert(kind(session.config()));
            self.warming = None;
        }
        post(&Event::Warming { done: if warmed.is_ok() { done } else { WARM_UPS }, of: WARM_UPS });
    }

    /// A session, once what it needs is there.
    pub(super) async fn session_for(&mut self, run: u32, config: RunConfig) -> Result<Session, Failure> {
        let base = self.load(&config).await?;
        let none = Materials::none();
        let materials = self.materials.as_ref().map_or(&none, |(_, materials)| materials.as_ref());
        Session::new(run, config, base, materials, &self.device, self.backend.name(), now)
    }

    /// One step. What goes wrong ends the run, keeps φ for predictions no longer, and is told.
    pub(super) async fn advance(&mut self, single: bool) {
        let Some(session) = &mut self.session else { return };
        match session.advance(single).await {
            Ok(events) => {
                events.iter().for_each(post);
                self.running &= !session.done();
                self.snapshot_if_due().await;
            }
            Err(failure) => self.fail(failure),
        }
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.running = false;
        self.session = None;
        post_failure(self.run, failure);
    }

    /// Begins to measure what depends on the prompt.
    pub(super) async fn begin_spread(&mut self, run: u32, config: RunConfig) -> Result<(), Failure> {
        let base = self.load(&config).await?;
        let materials = self.materials.as_ref().map_or_else(|| Rc::new(Materials::none()), |(_, m)| m.clone());
        self.spread = Some(Spread::new(run, config, base, materials, &self.device)?);
        Ok(())
    }

    /// One prompt more.
    async fn measure_spread(&mut self) {
        let Some(spread) = &mut self.spread else { return };
        match spread.advance().await {
            Ok(event) => {
                event.iter().for_each(post);
                if spread.done() {
                    self.spread = None;
                }
            }
            Err(failure) => {
                self.spread = None;
                post_failure(0, failure);
            }
        }
    }

    /// Puts the session away, if it has learnt anything.
    pub(super) fn shelve(&mut self) {
        self.running = false;
        if let Some(session) = self.session.take().filter(|s| s.step() > 0) {
            self.shelf.retain(|s| s.run() != session.run());
            self.shelf.push_back(session);
        }
        while self.shelf.len() > SHELF {
            self.shelf.pop_front();
        }
    }

    /// The session of a run, at work or put away.
    pub(super) fn held(&self, run: u32) -> Result<&Session, Failure> {
        let sessions = self.session.iter().chain(&self.shelf);
        sessions.into_iter().find(|s| s.run() == run).ok_or_else(|| Failure {
            reason: FailureReason::Input,
            message: "The trainer no longer holds this run's φ: train it again, or open its file.".into(),
        })
    }

    /// The base of a configuration, and what else it needs; fetched once.
    pub(super) async fn load(&mut self, config: &RunConfig) -> Result<Rc<LoadedBase>, Failure> {
        if !self.materials.as_ref().is_some_and(|(other, materials)| materials.serve(other, config)) {
            if config.task.file().is_some() {
                self.files.begin(self.run, "the examples of the task".into());
            }
            let materials = Materials::load(config, &self.files).await;
            self.files.end();
            self.materials = Some((config.clone(), Rc::new(materials?)));
        }
        match self.bases.get(config.base.id) {
            Some(base) if base.storage == config.storage() => return Ok(base.clone()),
            // Never both forms at once, but where a run still holds the other.
            _ => drop(self.bases.remove(config.base.id)),
        }
        self.files.begin(self.run, format!("the base {}", config.base.called()));
        let base = LoadedBase::of(config, &self.files, &self.device).await;
        self.files.end();
        let base = Rc::new(base?);
        self.bases.insert(config.base.id, base.clone());
        Ok(base)
    }

    /// Drops θ of bases whose files are other ones now. Runs that hold it keep it.
    pub(super) fn forget_moved(&mut self, assets: &AssetUrls) {
        self.bases.retain(|id, _| assets.of_base(id) == self.files.assets.of_base(id));
    }
}

/// Configurations whose runs need the same of a GPU's programs.
fn kind(config: &RunConfig) -> String {
    let methods: Vec<&str> = config.methods().map(|method| method.info().name).collect();
    format!("{} {:?} {methods:?}", config.base.id, std::mem::discriminant(&config.task))
}
