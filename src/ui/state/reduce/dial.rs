//! The φ that one looks at: chosen among runs, swapped live, and dialled.

use crate::config::MOST_LAMBDA;
use crate::protocol::{Command, Event, Prediction};
use crate::ui::state::{Dial, Effect, Evaluation, Phase, Run, State, Trainer};
use std::rc::Rc;

impl State {
    /// The live run whose φ answers: the one that was chosen, else the latest on the present base and task.
    pub fn chosen_run(&self) -> Option<&Run> {
        let fits = |r: &&Run| {
            r.config.base == self.config.base && r.config.task.same_questions(&self.config.task) && !self.is_aside(r)
        };
        let chosen = self.looked_at.and_then(|id| self.runs.iter().find(|r| r.id == id).filter(fits));
        chosen.or_else(|| self.runs.iter().rev().find(fits))
    }

    /// The chosen run where it is no longer training and the trainer holds its φ.
    pub fn kept_run(&self) -> Option<(&Run, Trainer)> {
        let run = self.chosen_run()?;
        let ended = matches!(run.phase, Phase::Finished | Phase::Stopped | Phase::Paused);
        Some((run, run.trainer?)).filter(|_| ended && !run.recorded)
    }

    /// λ and the answers at it, where the dial of the chosen run has been turned.
    pub fn dialled_examples(&self) -> Option<(f64, Rc<Vec<Prediction>>)> {
        let run = self.chosen_run()?;
        let (lambda, ..) = self.dial.measured.filter(|(lambda, ..)| self.dial.run == run.id && *lambda != 1.0)?;
        Some((lambda, self.dial.items.clone()))
    }

    /// The λ at which a run answers: where its dial was measured last, so that all answers on the page are of
    /// one network.
    pub(super) fn lambda_of(&self, run: u32) -> f64 {
        self.dial.measured.filter(|_| self.dial.run == run).map_or(1.0, |(lambda, ..)| lambda)
    }

    /// The dial, where it is the chosen run's.
    pub fn dial_of(&self, run: &Run) -> Dial {
        if self.dial.run == run.id { self.dial.clone() } else { Dial::default() }
    }

    /// Swaps a run's φ in. Panel, drawing and count are then its own: all that the page shows is of one
    /// network.
    pub(super) fn look_at(&mut self, id: u32) -> Vec<Effect> {
        let Some(run) = self.runs.iter().find(|r| r.id == id) else { return Vec::new() };
        let (config, trainer) = (run.config.clone(), run.trainer);
        self.looked_at = Some(id);
        self.try_it.answer = None;
        self.drafts.clear();
        let mut effects = self.adopt(config);
        effects.extend(trainer.map_or_else(Vec::new, |trainer| self.ask_again(trainer)));
        effects
    }

    /// Forgets the choice: what begins now is what one looks at.
    pub(super) fn look_at_latest(&mut self) {
        self.looked_at = None;
        self.dial = Dial::default();
    }

    pub(super) fn set_dial(&mut self, lambda: f64) -> Vec<Effect> {
        let Some((run, trainer)) = self.kept_run() else { return Vec::new() };
        let id = run.id;
        if self.dial.run != id {
            // Both ends are known where they were scored on what the dial is: the base before training, and the run.
            let alike = |[first, last]: &[Evaluation; 2]| first.step == 0 && last.step == run.step && first.n == last.n;
            let ends = run.live.filter(|_| run.step > 0).filter(alike);
            let points = ends.map_or_else(Vec::new, |[first, last]| vec![(0.0, first.accuracy), (1.0, last.accuracy)]);
            self.dial = Dial { run: id, points, ..Dial::default() };
        }
        self.dial.lambda = Some(lambda.clamp(0.0, MOST_LAMBDA));
        if std::mem::replace(&mut self.dial.waiting, true) {
            // The answer under way comes first; what the dial shows by then is asked after it.
            return Vec::new();
        }
        vec![Effect::Send(trainer, Command::Dial { run: id, lambda: self.dial.lambda() })]
    }

    /// Takes in what was measured at a λ, and asks on where the dial has moved since.
    pub(super) fn dialled(&mut self, trainer: Trainer, event: Event) -> Vec<Effect> {
        let Event::Dialled { run, lambda, loss, accuracy, n, items } = event else { return Vec::new() };
        if run != self.dial.run {
            return Vec::new();
        }
        self.dial.waiting = false;
        self.dial.measured = Some((lambda, f64::from(loss), accuracy, n));
        self.dial.items = Rc::new(items);
        self.dial.points.retain(|(at, _)| *at != lambda);
        self.dial.points.push((lambda, accuracy));
        self.dial.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        match self.dial.lambda() == lambda {
            // The visitor's own example follows.
            true => self.ask_again(trainer),
            false => {
                self.set_dial(self.dial.lambda()).into_iter().filter(|_| self.worker(trainer).is_ready()).collect()
            }
        }
    }

    /// A question about a run failed: the dial may ask again.
    pub(super) fn dial_failed(&mut self, run: u32) {
        if run == self.dial.run {
            self.dial.waiting = false;
        }
    }
}
