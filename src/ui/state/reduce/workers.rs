//! Which worker trains, how it comes up, and what its silence or death means.

use crate::base::FailureReason;
use crate::config::{DeviceChoice, RunConfig};
use crate::protocol::Command;
use crate::ui::assets::{BuildStatus, Manifest};
use crate::ui::state::parts::Launch;
use crate::ui::state::{Effect, GpuProbe, Loading, NoticeTone, Phase, Remedy, State, StepMemory, Trainer, WorkerPhase};

/// Which worker a configuration trains on.
pub(super) enum Device {
    /// This one.
    Use(Trainer),
    /// The browser has not said yet whether it has a GPU.
    Unknown,
    /// There is none: why, as a sentence.
    None(String),
}

impl State {
    /// Starts a worker.
    pub(super) fn boot(&mut self, trainer: Trainer) -> Vec<Effect> {
        self.workers[trainer as usize] = WorkerPhase::Booting;
        vec![Effect::Boot(trainer)]
    }

    /// Lets the worker fetch what the next run needs.
    /// The WebGPU trainer starts where that run would train on it.
    /// It compiles its programs while the page is read.
    pub(super) fn prefetch(&mut self) -> Vec<Effect> {
        if self.waits_for_base(self.config.base) {
            return Vec::new();
        }
        match self.device_for(&self.config) {
            Device::Use(trainer) if *self.worker(trainer) == WorkerPhase::Absent => self.boot(trainer),
            Device::Use(trainer) if matches!(self.worker(trainer), WorkerPhase::Ready { .. }) => {
                vec![Effect::Send(trainer, Command::Prefetch { config: self.config.clone() })]
            }
            _ => Vec::new(),
        }
    }

    /// Where a worker stands.
    pub fn worker(&self, trainer: Trainer) -> &WorkerPhase {
        &self.workers[trainer as usize]
    }

    /// The worker that the present configuration would train on.
    pub fn trainer(&self) -> Option<Trainer> {
        match self.device_for(&self.config) {
            Device::Use(trainer) => Some(trainer),
            _ => None,
        }
    }

    pub(super) fn device_for(&self, config: &RunConfig) -> Device {
        let has_worker = self.manifest.gpu_worker().is_some();
        match (config.device, self.gpu) {
            (DeviceChoice::Cpu, _) => Device::Use(Trainer::Cpu),
            // On a model this small a GPU waits for its launches longer than a CPU computes.
            (DeviceChoice::Auto, _) if config.base.id == "rules" || !has_worker || self.gpu_failed => Device::Use(Trainer::Cpu),
            (DeviceChoice::Auto, Some(GpuProbe::Hardware)) => Device::Use(Trainer::Gpu),
            (DeviceChoice::Auto, Some(_)) => Device::Use(Trainer::Cpu),
            (_, None) => Device::Unknown,
            (DeviceChoice::Webgpu, Some(GpuProbe::NoApi)) => Device::None(
                "This browser has no WebGPU. Current Chrome, Edge and Safari have it, and Firefox on Windows and macOS.".into(),
            ),
            (DeviceChoice::Webgpu, Some(GpuProbe::NoAdapter)) => {
                Device::None("This browser has WebGPU but gives the page no GPU: none is there, or it is blocked.".into())
            }
            (DeviceChoice::Webgpu, Some(_)) if has_worker => Device::Use(Trainer::Gpu),
            (DeviceChoice::Webgpu, Some(_)) => Device::None(match self.manifest.gpu_status {
                BuildStatus::Building => "The WebGPU trainer is still being built; the page will say when it is ready.".into(),
                _ => "This copy of the page was built without the WebGPU trainer.".into(),
            }),
        }
    }

    /// Why a run is not begun on the CPU: no tab has the memory that a step of it takes.
    pub(super) fn beyond_a_tab(&self, config: &RunConfig) -> Option<String> {
        let on_cpu = matches!(self.device_for(config), Device::Use(Trainer::Cpu));
        on_cpu.then(|| StepMemory::of(config)).filter(|memory| memory.is_too_much())?.told(config)
    }

    /// A worker ended without a word.
    pub(super) fn worker_died(&mut self, trainer: Trainer, message: &str) -> Vec<Effect> {
        // There is nobody left to tell.
        drop(self.end_writing(trainer));
        let what = if message.is_empty() { String::new() } else { format!(" ({message})") };
        match (trainer, self.worker(trainer)) {
            (Trainer::Gpu, WorkerPhase::Booting) => {
                self.never_started(trainer, format!("The WebGPU trainer did not start{what}."))
            }
            (_, WorkerPhase::Booting) => self.never_started(trainer, format!("The trainer did not start{what}.")),
            _ => {
                let held = self.active().map(|run| (StepMemory::of(&run.config), &run.config));
                let told = held.filter(|(memory, _)| memory.is_doubtful()).and_then(|(memory, of)| memory.told(of));
                let memory = told.map_or_else(String::new, |told| format!(" {told}"));
                let text = format!(
                    "The trainer ended unexpectedly{what}. What was measured stays; a new one is starting.{memory}"
                );
                self.lose_worker(trainer, text)
            }
        }
    }

    /// A worker did not come up. Another try waits for the visitor: by itself the page would try for ever.
    pub(super) fn never_started(&mut self, trainer: Trainer, message: String) -> Vec<Effect> {
        if trainer == Trainer::Gpu {
            return self.lose_gpu(message);
        }
        self.workers[trainer as usize] = WorkerPhase::Failed;
        self.try_it.waiting = false;
        if let Some(launch) = self.launch.take() {
            self.fail_run(launch.run, FailureReason::Crash);
        }
        self.fault(message, Some(Remedy::RestartTrainer));
        vec![Effect::Kill(trainer)]
    }

    /// No GPU, or its device was lost.
    /// A run that had not begun goes on by itself where the visitor left the choice to the page.
    pub(super) fn lose_gpu(&mut self, message: String) -> Vec<Effect> {
        self.workers[Trainer::Gpu as usize] = WorkerPhase::Failed;
        self.warming = None;
        self.gpu_failed = true;
        let mut effects = vec![Effect::Kill(Trainer::Gpu)];
        let waiting = self.launch.or_else(|| {
            let run = self.active().filter(|r| r.trainer == Some(Trainer::Gpu) && r.step == 0)?;
            Some(Launch { run: run.id, paused: self.held == Some(run.id) })
        });
        let choice = |id| self.runs.iter().find(|r| r.id == id).map(|r| r.config.device);
        match waiting {
            Some(launch) if choice(launch.run) == Some(DeviceChoice::Auto) => {
                self.say(NoticeTone::Info, format!("{message} This run trains on the CPU."), None);
                self.launch = Some(launch);
                effects.extend(self.advance());
            }
            None if self.config.device == DeviceChoice::Auto && self.active().is_none() => {
                self.say(NoticeTone::Info, format!("{message} Runs train on the CPU."), None);
            }
            _ => {
                self.launch = None;
                if let Some(id) = self.active().filter(|r| r.trainer != Some(Trainer::Cpu)).map(|r| r.id) {
                    self.fail_run(id, FailureReason::Device);
                }
                self.fault(message, Some(Remedy::TrainOnCpu));
            }
        }
        effects
    }

    pub(super) fn lose_worker(&mut self, trainer: Trainer, message: String) -> Vec<Effect> {
        self.loading = None;
        // One that did not answer is asked again.
        self.speed = self.speed.filter(Option::is_some);
        self.end_spread();
        self.try_it.waiting = false;
        let held = self.runs.iter().rev().find(|r| r.trainer == Some(trainer));
        let held = held.filter(|r| r.phase.is_active() || matches!(r.phase, Phase::Failed(_))).map(|r| r.id);
        if let Some(id) = held {
            self.fail_run(id, FailureReason::Crash);
        }
        self.lose_what_it_held(trainer);
        let goes_on = held.and_then(|id| self.runs.iter().find(|r| r.id == id)).filter(|run| run.kept > 0);
        let remedy = goes_on.map_or(held.map(|_| Remedy::TryAgain), |run| Some(Remedy::GoOn(run.id)));
        self.fault(message, remedy);
        self.boot(trainer)
    }

    /// How far the WebGPU trainer is with its programs, while it compiles them and nothing else.
    pub fn warming(&self) -> Option<(usize, usize)> {
        self.warming.filter(|_| self.active().is_none())
    }

    /// What a trainer reads before anybody has pressed Train, where the base is large: that takes seconds.
    pub fn loading(&self) -> Option<&Loading> {
        let base = self.config.base;
        let large = base.is_own() || base.fetched().is_some();
        self.loading.as_ref().filter(|_| self.active().is_none() && large)
    }

    /// Whether a WebGPU trainer is on its way that this browser could use.
    pub fn waits_for_gpu(&self) -> bool {
        self.manifest.gpu_status == BuildStatus::Building
            && matches!(self.gpu, Some(GpuProbe::Hardware | GpuProbe::Fallback))
    }

    pub(super) fn read_manifest(&mut self, manifest: Manifest) -> Vec<Effect> {
        let was_building = self.manifest.gpu_status == BuildStatus::Building;
        let lacked = self.lacks_base().is_some();
        let before = std::mem::replace(&mut self.manifest, manifest);
        // What the visitor brought is in no manifest of the site.
        for (name, address) in before.files {
            self.manifest.files.entry(name).or_insert(address);
        }
        let mut effects = Vec::new();
        if self.manifest.is_being_built() {
            effects.push(Effect::PollManifest);
        }
        if lacked && self.lacks_base().is_none() {
            let text = format!("{} is on the site now.", self.config.base.called());
            effects.extend(self.say(NoticeTone::Info, text, None));
        }
        if was_building && self.manifest.gpu_worker().is_some() && self.gpu == Some(GpuProbe::Hardware) {
            let text = "The WebGPU trainer is built and ready.".to_string();
            effects.extend(self.say(NoticeTone::Info, text, Some(Remedy::UseWebGpu)));
        }
        effects
    }
}
