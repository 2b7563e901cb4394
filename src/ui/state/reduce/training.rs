//! Runs from Train to their last event.

use super::workers::Device;
use crate::base::FailureReason;
use crate::config::{DeviceChoice, RunConfig};
use crate::protocol::Command;
use crate::protocol::Event;
use crate::ui::state::parts::Launch;
use crate::ui::state::{
    Ask, Bringing, Effect, FetchAsk, Loading, NoticeTone, Phase, Remedy, Run, Speed, State, Trainer, WorkerPhase,
    significant,
};

/// The one button that starts, pauses and resumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MainButton {
    /// Starts a run.
    Train,
    /// Pauses it.
    Pause,
    /// Goes on with it.
    Resume,
}

impl MainButton {
    /// What stands on it.
    pub fn title(self) -> &'static str {
        match self {
            MainButton::Train => "Train",
            MainButton::Pause => "Pause",
            MainButton::Resume => "Resume",
        }
    }
}

impl State {
    /// The run that the trainer holds or is about to.
    pub fn active(&self) -> Option<&Run> {
        self.runs.iter().rev().find(|r| r.phase.is_active())
    }

    /// The latest live run.
    pub fn latest(&self) -> Option<&Run> {
        self.runs.last()
    }

    /// What the main button would do now.
    /// A paused run gives way to a new one once its configuration has been changed.
    pub fn main_button(&self) -> MainButton {
        match self.active() {
            None => MainButton::Train,
            Some(run) if run.phase == Phase::Paused => {
                if run.config == self.config {
                    MainButton::Resume
                } else {
                    MainButton::Train
                }
            }
            Some(_) if self.is_held() => MainButton::Resume,
            Some(_) => MainButton::Pause,
        }
    }

    /// Whether the run that is on its way pauses before it goes on by itself.
    pub fn is_held(&self) -> bool {
        self.active().is_some_and(|run| matches!(run.phase, Phase::Loading(_)) && self.held == Some(run.id))
    }

    /// Whether nobody can be told yet that the run on its way is to pause: the store looks for it.
    pub fn is_out_of_reach(&self) -> bool {
        let nobody = |run: &Run| run.trainer.is_none() && self.launch.is_none_or(|launch| launch.run != run.id);
        self.active().is_some_and(nobody)
    }

    pub(super) fn press_main(&mut self) -> Vec<Effect> {
        let button = self.main_button();
        match (button, self.active()) {
            (MainButton::Train, _) => self.start(self.config.clone(), false, None),
            (MainButton::Pause | MainButton::Resume, Some(run)) => {
                let (id, on_its_way, pauses) =
                    (run.id, matches!(run.phase, Phase::Loading(_)), button == MainButton::Pause);
                let effects = send(run, if pauses { Command::Pause } else { Command::Resume });
                if on_its_way && !self.is_out_of_reach() {
                    // Who loads reads this when all is there.
                    self.hold(id, pauses);
                }
                effects
            }
            _ => Vec::new(),
        }
    }

    /// A run on its way pauses before it goes on by itself, or no longer.
    fn hold(&mut self, id: u32, pauses: bool) {
        self.held = pauses.then_some(id);
        self.step_when_started = self.step_when_started.filter(|run| *run != id);
        if let Some(launch) = self.launch.as_mut().filter(|launch| launch.run == id) {
            launch.paused = pauses;
        }
    }

    pub(super) fn press_step(&mut self) -> Vec<Effect> {
        match self.active() {
            Some(run) if run.phase == Phase::Running || run.config == self.config => {
                let (id, effects) = (run.id, send(run, Command::Step));
                if matches!(run.phase, Phase::Loading(_)) && !self.is_out_of_reach() {
                    self.hold(id, true);
                    self.step_when_started = effects.is_empty().then_some(id);
                }
                effects
            }
            _ => {
                let effects = self.start(self.config.clone(), true, None);
                let begun = self.latest().filter(|r| r.phase.is_active()).map(|r| r.id);
                (self.step_when_started, self.held) = (begun, begun);
                effects
            }
        }
    }

    pub(super) fn press_stop(&mut self) -> Vec<Effect> {
        let fetches = self.waiting_run().is_some();
        let Some(run) = self.active() else { return Vec::new() };
        let mut effects = send(run, Command::Stop);
        // What it waits for is of no use without it.
        effects.extend(fetches.then_some(Effect::Fetch(FetchAsk::Cancel)));
        let stops_queue = fetches && self.queue.is_running();
        let goes_on = self.keeping.going_on == Some(run.id);
        if run.trainer.is_none() || goes_on {
            // It never reached a worker: nothing will answer. One that was to go on stays as it was.
            let id = run.id;
            effects.extend(self.rest(id).filter(|_| goes_on));
            self.launch = None;
            self.keeping.going_on = None;
            self.runs.retain(|r| r.id != id || goes_on);
            self.runs.iter_mut().filter(|r| r.id == id).for_each(|run| run.phase = Phase::Stopped);
        }
        if stops_queue {
            effects.extend(self.follow_queue());
        }
        effects
    }

    /// The latest run once more, exactly. One that was not finished gives its place to the repetition.
    pub(super) fn press_rewind(&mut self) -> Vec<Effect> {
        let Some(run) = self.latest() else { return self.start(self.config.clone(), false, None) };
        if matches!(run.phase, Phase::Loading(_)) {
            return Vec::new();
        }
        let replaced = (!matches!(run.phase, Phase::Finished | Phase::Elsewhere)).then_some(run.id);
        self.start(run.config.clone(), false, replaced)
    }

    /// Asks for a run; `replaced` leaves the page when it begins.
    pub(super) fn start(&mut self, config: RunConfig, paused: bool, replaced: Option<u32>) -> Vec<Effect> {
        if let Device::None(why) = self.device_for(&config) {
            self.fault(why, Some(Remedy::TrainOnCpu));
            return Vec::new();
        }
        if let Some(why) = self.beyond_a_tab(&config) {
            self.fault(why, None);
            return Vec::new();
        }
        self.end_spread();
        let mut effects = Vec::new();
        // A worker replaces its own run; one that is held by the other worker has to be told.
        effects.extend(self.stop_active());
        let is_empty = |r: &Run| r.step + r.accuracy.points().len() == 0 && r.phase != Phase::Elsewhere;
        let leaves = |r: &Run| Some(r.id) == replaced || is_empty(r);
        let keys = self.runs.iter().filter(|r| leaves(r)).map(|r| self.key_of(r)).collect::<Vec<_>>();
        if self.keeps() && !keys.is_empty() {
            effects.push(Effect::Store(Ask::Erase(keys)));
        }
        self.runs.retain(|r| !leaves(r));
        let id = self.next_run;
        self.next_run += 1;
        self.look_at_latest();
        self.runs.push(Run::new(id, config));
        self.launch = Some(Launch { run: id, paused });
        self.step_when_started = None;
        effects.extend(self.say_that_nothing_is_kept());
        effects.extend(self.advance());
        effects
    }

    /// Sends a waiting run to its worker as soon as that is known and ready.
    pub(super) fn advance(&mut self) -> Vec<Effect> {
        let Some(launch) = self.launch else { return Vec::new() };
        let Some(config) = self.runs.iter().find(|r| r.id == launch.run).map(|r| r.config.clone()) else {
            self.launch = None;
            return Vec::new();
        };
        let trainer = match self.device_for(&config) {
            Device::Use(trainer) => trainer,
            Device::Unknown => return Vec::new(),
            Device::None(why) => {
                self.fail_run(launch.run, FailureReason::Device);
                self.fault(why, Some(Remedy::TrainOnCpu));
                return Vec::new();
            }
        };
        // The browser has said only now that it has no GPU.
        if let Some(why) = self.beyond_a_tab(&config) {
            self.fail_run(launch.run, FailureReason::Device);
            self.fault(why, None);
            return Vec::new();
        }
        if self.waits_for_base(config.base) {
            return self.fetch_for(launch.run, config.base);
        }
        match self.worker(trainer) {
            WorkerPhase::Ready { .. } => {
                self.launch = None;
                if let Some(run) = self.runs.iter_mut().find(|r| r.id == launch.run) {
                    run.trainer = Some(trainer);
                    run.phase = Phase::waiting("the base and the task");
                }
                vec![Effect::Send(trainer, Command::Start { run: launch.run, config, paused: launch.paused })]
            }
            WorkerPhase::Booting => Vec::new(),
            WorkerPhase::Absent | WorkerPhase::Failed => self.boot(trainer),
        }
    }

    /// Takes in what a trainer reported, `now` in milliseconds.
    pub(super) fn hear(&mut self, trainer: Trainer, events: Vec<Event>, now: f64) -> Vec<Effect> {
        if let Some(run) = self.runs.iter_mut().rev().find(|r| r.phase == Phase::Running) {
            run.active_ms += now - self.heard_at;
        }
        self.heard_at = now;
        let mut effects = Vec::new();
        for event in events {
            effects.extend(self.keep_event(&event));
            effects.extend(self.hear_one(trainer, event));
        }
        effects.extend(self.follow_queue());
        effects
    }

    fn hear_one(&mut self, trainer: Trainer, event: Event) -> Vec<Effect> {
        if let Some(run) = event.run().and_then(|id| self.runs.iter_mut().find(|r| r.id == id))
            && !matches!(event, Event::Failed { reason, .. } if run.is_only_asked(reason))
        {
            run.apply(&event);
        }
        match event {
            Event::Ready { device } => {
                self.workers[trainer as usize] = WorkerPhase::Ready { device };
                let mut effects = Vec::new();
                if self.keeping.open && self.keeps() {
                    effects.push(Effect::Send(trainer, Command::Keep { on: true }));
                }
                effects.extend(self.advance());
                effects.extend(self.hand_over_recalled());
                effects.extend(self.prefetch());
                effects.extend(self.ask_again(trainer));
                if trainer == Trainer::Cpu {
                    effects.extend(self.identify());
                }
                effects
            }
            Event::Loading { what, done, of, .. } => {
                self.loading = Some(Loading { what, done, of }).filter(|loading| !loading.is_there());
                Vec::new()
            }
            Event::Warming { done, of } => {
                self.warming = (done < of).then_some((done, of));
                Vec::new()
            }
            Event::Probed { rate, workers } => {
                self.speed = Some(Some(Speed { rate, workers }));
                Vec::new()
            }
            Event::Identifying { .. } | Event::Identified { .. } | Event::Unidentified { .. } => self.identified(event),
            Event::Started { run, .. } if self.step_when_started == Some(run) => {
                self.step_when_started = None;
                vec![Effect::Send(trainer, Command::Step)]
            }
            Event::Evaluated { run, .. } => {
                self.warn_of_rising_loss(run);
                Vec::new()
            }
            Event::Examples { .. } | Event::Finished { .. } => self.ask_again(trainer),
            Event::Predicted { item, .. } => {
                self.try_it.waiting = false;
                self.try_it.fault = None;
                self.try_it.answer = Some(item);
                Vec::new()
            }
            Event::Wrote { .. } | Event::Unwritten { .. } => self.wrote(trainer, event),
            Event::Dialled { .. } => self.dialled(trainer, event),
            Event::Spread { .. } => self.prompted(event),
            Event::Snapshot { run, text, tensors, .. } => self.keep_whole(run, text, tensors),
            Event::RunFile { run, ref text, ref tensors } if self.gathers(run) => {
                self.gather_written(run, text, tensors)
            }
            Event::RunFile { .. } | Event::Adapter { .. } | Event::Merged { .. } => self.kept(event),
            // An adapter says what it is: the page follows.
            Event::Started { run, ref config, .. } if self.runs.iter().any(|r| r.id == run && r.imported) => {
                self.drafts.clear();
                self.adopt(RunConfig::clone(config))
            }
            Event::Failed { run, reason, message } => {
                self.loading = None;
                let mut effects = self.end_writing(trainer);
                effects.extend(self.hear_failure(trainer, run, reason, message));
                effects
            }
            _ => Vec::new(),
        }
    }

    /// A rate that is too high need not end in numbers that are not finite.
    /// The run goes on, and nothing comes of it.
    fn warn_of_rising_loss(&mut self, id: u32) {
        let Some(run) = self.runs.iter_mut().find(|r| r.id == id && !r.warned && !r.queued) else { return };
        let Some((first, now)) = run.rising_loss() else { return };
        run.warned = true;
        let text = format!(
            "The held-out loss of {} has grown from {} to {}: its rate of {} is too high.",
            run.label(),
            significant(first),
            significant(now),
            run.config.learning_rate()
        );
        self.fault(text, Some(Remedy::LowerRate));
    }

    fn hear_failure(&mut self, trainer: Trainer, run: u32, reason: FailureReason, message: String) -> Vec<Effect> {
        self.end_spread();
        self.dial_failed(run);
        if self.gathers(run) {
            return self.gather(run, None);
        }
        if reason == FailureReason::Damaged {
            return self.say_that_it_is_damaged(run, &message);
        }
        // That nobody holds it follows from what was told.
        if reason == FailureReason::Input && self.runs.iter().any(|r| r.id == run && r.damaged) {
            return Vec::new();
        }
        let mut effects = Vec::new();
        // It did not go on: it is where it was.
        if let Some(run) = self.runs.iter_mut().find(|r| r.id == run && r.step > 0)
            && matches!(run.phase, Phase::Loading(_))
        {
            run.phase = Phase::Stopped;
            let id = run.id;
            effects.extend(self.rest(id));
        }
        // An adapter that cannot be used leaves nothing behind.
        self.runs.retain(|r| r.id != run || !r.imported || r.phase.has_begun());
        effects.extend(match reason {
            FailureReason::Input if self.try_it.waiting => {
                self.try_it.waiting = false;
                self.try_it.fault = Some(message);
                Vec::new()
            }
            FailureReason::Input => self.say(NoticeTone::Fault, message, None),
            FailureReason::Load => {
                self.try_it.waiting = false;
                let again = self.runs.iter().any(|r| r.id == run);
                self.say(NoticeTone::Fault, message, again.then_some(Remedy::TryAgain))
            }
            // In a grid that is a finding.
            FailureReason::Diverged if self.runs.iter().any(|r| r.id == run && r.queued) => Vec::new(),
            FailureReason::Diverged => self.say(NoticeTone::Fault, message, Some(Remedy::LowerRate)),
            FailureReason::Device if trainer == Trainer::Gpu => self.lose_gpu(message),
            _ if *self.worker(trainer) == WorkerPhase::Booting => self.never_started(trainer, message),
            FailureReason::Device | FailureReason::Crash | FailureReason::Damaged => self.lose_worker(trainer, message),
        });
        effects
    }

    pub(super) fn fail_run(&mut self, id: u32, reason: FailureReason) {
        if let Some(run) = self.runs.iter_mut().find(|r| r.id == id) {
            run.phase = Phase::Failed(reason);
        }
        self.launch = self.launch.filter(|l| l.run != id);
    }

    /// Follows the button of a notice.
    pub(super) fn remedy(&mut self, remedy: Remedy) -> Vec<Effect> {
        match remedy {
            Remedy::RestartTrainer => self.boot(Trainer::Cpu),
            Remedy::TryAgain => {
                let config = self.latest().map_or_else(|| self.config.clone(), |r| r.config.clone());
                self.start(config, false, None)
            }
            Remedy::LowerRate => {
                let config = self.latest().map_or_else(|| self.config.clone(), |r| r.config.clone());
                let lr = (config.learning_rate() / 10.0).max(crate::config::keys::LEAST_LR);
                self.adopt_and_start(RunConfig { lr: Some(lr), ..config })
            }
            Remedy::TrainOnCpu => self.adopt_and_start(RunConfig { device: DeviceChoice::Cpu, ..self.config.clone() }),
            Remedy::Bring => self.bringing(Bringing::Open),
            Remedy::Undo => self.undo(None),
            Remedy::GoOn(run) => self.go_on(run),
            Remedy::Afresh(id) => match self.runs.iter().find(|r| r.id == id).map(|r| r.config.clone()) {
                Some(config) => self.adopt_and_start(config),
                None => Vec::new(),
            },
            Remedy::MakeRoom(n) => self.make_room(n),
            Remedy::SaveAside => self.save_aside(),
            Remedy::TurnBack(id) => {
                let Some(run) = self.runs.iter().find(|r| r.id == id) else { return Vec::new() };
                let waits = if run.phase.is_active() { send(run, Command::Resume) } else { Vec::new() };
                self.drafts.clear();
                let mut effects = self.adopt(run.config.clone());
                effects.extend(waits);
                effects
            }
            Remedy::UseWebGpu => {
                self.gpu_failed = false;
                self.adopt(RunConfig { device: DeviceChoice::Webgpu, ..self.config.clone() })
            }
        }
    }

    fn adopt_and_start(&mut self, config: RunConfig) -> Vec<Effect> {
        self.drafts.clear();
        let mut effects = self.adopt(config.clone());
        effects.extend(self.start(config, false, None));
        effects
    }
}

/// A command for the worker that holds a run; nothing where none does yet.
pub(super) fn send(run: &Run, command: Command) -> Vec<Effect> {
    run.trainer.map(|trainer| Effect::Send(trainer, command)).into_iter().collect()
}
