//! The visitor's own example: a text, and what θ alone and θ with φ answer to it.

use crate::protocol::Command;
use crate::task::rules;
use crate::ui::state::{Effect, State, Trainer, TryIt, WorkerPhase};

impl State {
    pub(super) fn edit_try_it(&mut self, text: String) -> Vec<Effect> {
        self.try_it = TryIt { text, waiting: self.try_it.waiting, ..TryIt::default() };
        Vec::new()
    }

    /// Asks the trainer for an answer to what was typed.
    pub(super) fn ask_try_it(&mut self) -> Vec<Effect> {
        let text = self.try_it.text.trim().to_string();
        let fault = match &self.config.task {
            task if task.is_strings() => rules::parse_string(&text).err().map(|f| f.message),
            _ => text.is_empty().then(|| "Type a text first.".to_string()),
        };
        self.try_it.answer = None;
        self.try_it.fault = fault;
        if self.try_it.fault.is_some() {
            return Vec::new();
        }
        self.try_it.asked = Some(text.clone());
        self.predict(text)
    }

    /// Asks once more after φ has changed, or when a worker that was waited for is there.
    pub(super) fn ask_again(&mut self, trainer: Trainer) -> Vec<Effect> {
        let asked = self.try_it.asked.clone().filter(|t| *t == self.try_it.text.trim() && self.try_it.fault.is_none());
        match asked {
            Some(text) if !self.try_it.waiting || self.answering().1 == trainer => self.predict(text),
            _ => Vec::new(),
        }
    }

    fn predict(&mut self, text: String) -> Vec<Effect> {
        self.try_it.waiting = true;
        let (run, trainer) = self.answering();
        // φ is the latest run's, so the question goes with that run's configuration.
        let config = self.runs.iter().find(|r| r.id == run).map_or_else(|| self.config.clone(), |r| r.config.clone());
        let lambda = self.lambda_of(run);
        match self.worker(trainer) {
            WorkerPhase::Ready { .. } => vec![Effect::Send(trainer, Command::Predict { run, config, text, lambda })],
            _ => Vec::new(),
        }
    }

    /// The run whose φ answers, and the worker that holds it: the chosen one, else a fresh φ.
    pub(super) fn answering(&self) -> (u32, Trainer) {
        let run = self.chosen_run().filter(|r| r.config.task == self.config.task);
        run.and_then(|r| Some((r.id, r.trainer?))).unwrap_or((0, Trainer::Cpu))
    }
}
