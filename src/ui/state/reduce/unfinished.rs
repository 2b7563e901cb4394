//! Runs that were stopped or cut off go on; φ that the store keeps comes back to a trainer.

use super::workers::Device;
use crate::base::grouped;
use crate::config::RunConfig;
use crate::interchange::RunFile;
use crate::protocol::{Command, Event};
use crate::ui::state::parts::Launch;
use crate::ui::state::{Ask, Effect, NoticeTone, Phase, Remedy, Run, State, Trainer};

/// Runs that a trainer holds at the most beside the one that trains: fewer than it puts away.
const HELD: usize = 20;

impl State {
    /// Whether a run can go on now.
    pub fn can_go_on(&self, run: &Run) -> bool {
        run.is_unfinished() && !run.damaged && !self.lacks_own_data(&run.config)
    }

    /// Goes on with a run where it was left. Without its φ it begins anew, to the same curve.
    pub(super) fn go_on(&mut self, id: u32) -> Vec<Effect> {
        let Some(run) = self.runs.iter().find(|r| r.id == id).filter(|run| self.can_go_on(run)).cloned() else {
            return Vec::new();
        };
        if let Device::None(why) = self.device_for(&run.config) {
            self.fault(why, Some(Remedy::TrainOnCpu));
            return Vec::new();
        }
        self.end_spread();
        let mut effects = self.stop_active();
        self.drafts.clear();
        effects.extend(self.adopt(run.config.clone()));
        self.look_at_latest();
        self.looked_at = Some(id);
        if let Some(run) = self.runs.iter_mut().find(|r| r.id == id) {
            run.phase = Phase::waiting("the run as it was left");
            run.was_stopped = false;
        }
        match self.keeping.open && self.keeps() {
            true => {
                self.keeping.going_on = Some(id);
                effects.push(Effect::Store(Ask::Claim { key: self.key_of(&run), run: id }));
            }
            false => effects.extend(self.go_on_alone(id)),
        }
        effects
    }

    /// The store has said whether the run is this tab's to go on with.
    pub(super) fn claimed(&mut self, id: u32, granted: bool) -> Vec<Effect> {
        let waits = self.keeping.going_on == Some(id);
        let Some(run) = self.runs.iter_mut().find(|r| r.id == id) else { return Vec::new() };
        match (waits, granted) {
            (true, true) => self.go_on_alone(id),
            // It was stopped meanwhile.
            (false, true) => self.rest(id).into_iter().collect(),
            (_, false) => {
                self.keeping.going_on = self.keeping.going_on.filter(|run| *run != id);
                run.phase = Phase::Elsewhere;
                let text =
                    format!("{} goes on in another tab: here it can once that tab stops it or is closed.", run.label());
                self.say(NoticeTone::Info, text, None)
            }
        }
    }

    /// Goes on with a run that no other tab goes on with.
    fn go_on_alone(&mut self, id: u32) -> Vec<Effect> {
        let Some(run) = self.runs.iter().find(|r| r.id == id) else { return Vec::new() };
        let held = run.trainer.filter(|trainer| self.worker(*trainer).is_ready());
        if let Some(trainer) = held {
            self.keeping.going_on = None;
            return vec![Effect::Send(trainer, Command::GoOn { run: id })];
        }
        if run.kept > 0 {
            let key = self.key_of(run);
            (self.keeping.going_on, self.keeping.recalling) = (Some(id), Some(id));
            return vec![Effect::Store(Ask::Recall { key, run: id })];
        }
        self.keeping.going_on = None;
        self.begin_anew(id)
    }

    /// What is kept of a run's φ is of no use. All else of it stays, and its settings train it again.
    pub(super) fn say_that_it_is_damaged(&mut self, id: u32, why: &str) -> Vec<Effect> {
        self.keeping.going_on = self.keeping.going_on.filter(|run| *run != id);
        let Some(run) = self.runs.iter_mut().find(|r| r.id == id) else { return Vec::new() };
        (run.damaged, run.trainer) = (true, None);
        if run.phase.is_active() {
            run.phase = Phase::Stopped;
        }
        let why = why.trim_end_matches('.');
        let text = format!(
            "What is kept of {} at step {} cannot be used: {why}. Its curve stays. From the start, the same settings give the same one.",
            run.label(),
            grouped(run.step)
        );
        self.fault(text, Some(Remedy::Afresh(id)));
        self.rest(id).into_iter().collect()
    }

    /// A run does not train here: other tabs may go on with it.
    pub(super) fn rest(&self, id: u32) -> Option<Effect> {
        let run = self.runs.iter().find(|run| run.id == id).filter(|_| self.keeps())?;
        Some(Effect::Store(Ask::Rest(self.key_of(run))))
    }

    /// The same run from its first step, under its number and key.
    fn begin_anew(&mut self, id: u32) -> Vec<Effect> {
        let Some(run) = self.runs.iter_mut().find(|r| r.id == id) else { return Vec::new() };
        let (key, queued) = (run.key.clone(), run.queued);
        *run = Run { key, queued, ..Run::new(id, run.config.clone()) };
        self.launch = Some(Launch { run: id, paused: false });
        self.advance()
    }

    /// A run came from the store: for a file, for a trainer to go on with, or for its φ to answer.
    pub(super) fn recalled(&mut self, id: u32, text: &str, tensors: Option<Vec<u8>>) -> Vec<Effect> {
        if self.gathers(id) {
            return self.gather(id, tensors.map(|tensors| with_phi(text, id, &tensors)));
        }
        self.keeping.recalling = self.keeping.recalling.filter(|run| *run != id);
        let events = RunFile::read_all(text).ok().and_then(|mut files| files.pop()).map(|file| file.events);
        match (events, tensors) {
            (Some(events), Some(tensors)) => {
                self.keeping.recalled = Some((id, events, tensors));
                self.hand_over_recalled()
            }
            (None, Some(_)) => self.say_that_it_is_damaged(id, "its events are no run"),
            _ => {
                // The store says more than it holds: nothing of it is asked for again.
                if let Some(run) = self.runs.iter_mut().find(|r| r.id == id) {
                    run.kept = 0;
                }
                match self.keeping.going_on.take_if(|run| *run == id) {
                    Some(_) => self.begin_anew(id),
                    None => Vec::new(),
                }
            }
        }
    }

    /// Gives what came from the store to a trainer, as soon as that is ready.
    pub(super) fn hand_over_recalled(&mut self) -> Vec<Effect> {
        let Some((id, ..)) = self.keeping.recalled else { return Vec::new() };
        let Some(config) = self.runs.iter().find(|r| r.id == id).map(|r| r.config.clone()) else {
            self.keeping.recalled = None;
            return Vec::new();
        };
        let goes_on = self.keeping.going_on == Some(id);
        if self.waits_for_base(config.base) {
            // It is handed over once that is here.
            return self.want_base(config.base, goes_on);
        }
        let trainer = self.trainer_of(&config);
        if !self.worker(trainer).is_ready() {
            let absent = !matches!(self.worker(trainer), crate::ui::state::WorkerPhase::Booting);
            return if goes_on && absent { self.boot(trainer) } else { Vec::new() };
        }
        let Some((_, events, tensors)) = self.keeping.recalled.take() else { return Vec::new() };
        if let Some(run) = self.runs.iter_mut().find(|r| r.id == id) {
            run.trainer = Some(trainer);
        }
        let mut effects = vec![Effect::Send(trainer, Command::Restore { run: id, config, events, tensors })];
        if goes_on {
            self.keeping.going_on = None;
            effects.push(Effect::Send(trainer, Command::GoOn { run: id }));
        }
        effects
    }

    fn trainer_of(&self, config: &RunConfig) -> Trainer {
        match self.device_for(config) {
            Device::Use(trainer) => trainer,
            _ => Trainer::Cpu,
        }
    }

    /// After every action: the φ of the run that one looks at is asked for, where only the store holds it.
    pub(super) fn recall_chosen(&mut self) -> Option<Effect> {
        if self.keeping.recalling.is_some() || self.keeping.recalled.is_some() || !self.keeping.open {
            return None;
        }
        let run = self.chosen_run()?;
        let waits = run.trainer.is_none() && run.kept > 0 && !run.recorded && !run.damaged;
        let ended = matches!(run.phase, Phase::Finished | Phase::Stopped);
        let lacks = self.lacks_own_data(&run.config) || self.waits_for_base(run.config.base);
        if !waits || !ended || lacks || !self.worker(self.trainer_of(&run.config)).is_ready() {
            return None;
        }
        let (key, run) = (self.key_of(run), run.id);
        self.keeping.recalling = Some(run);
        Some(Effect::Store(Ask::Recall { key, run }))
    }

    /// After every action: a trainer holds so many runs. Of more, the oldest are with the store alone.
    pub(super) fn spare_trainers(&mut self) -> Option<Effect> {
        let chosen = self.chosen_run().map(|run| run.id);
        let ended = |run: &&mut Run| run.kept > 0 && matches!(run.phase, Phase::Finished | Phase::Stopped);
        let mut held: Vec<&mut Run> = self.runs.iter_mut().filter(|run| run.trainer.is_some()).filter(ended).collect();
        if held.len() <= HELD {
            return None;
        }
        let oldest = held.iter_mut().find(|run| Some(run.id) != chosen)?;
        let (trainer, run) = (oldest.trainer.take()?, oldest.id);
        Some(Effect::Send(trainer, Command::Forget { run }))
    }

    /// What a trainer that has ended held is with the store alone.
    pub(super) fn lose_what_it_held(&mut self, trainer: Trainer) {
        let held = self.runs.iter_mut().filter(|run| run.trainer == Some(trainer) && run.kept > 0);
        held.for_each(|run| run.trainer = None);
    }

    /// Stops the run under way: another one begins.
    pub(super) fn stop_active(&mut self) -> Vec<Effect> {
        let Some(run) = self.runs.iter_mut().rev().find(|r| r.phase.is_active()) else { return Vec::new() };
        run.phase = Phase::Stopped;
        run.was_stopped = true;
        let trainer = run.trainer;
        self.launch = None;
        trainer.map(|trainer| Effect::Send(trainer, Command::Stop)).into_iter().collect()
    }
}

/// A run's lines with that of φ behind them.
pub(super) fn with_phi(text: &str, run: u32, tensors: &[u8]) -> String {
    let lines = text.lines().filter(|line| !line.contains("\"event\":\"phi\""));
    let mut whole: String = lines.flat_map(|line| [line, "\n"]).collect();
    let phi: Event = RunFile::phi_event(run, tensors);
    if let Ok(line) = serde_json::to_string(&phi) {
        whole += &line;
        whole.push('\n');
    }
    whole
}
