//! The visitor's own example: a text, and what θ alone and θ with φ answer to it.

use super::{Effect, State, Trainer, WorkerPhase};
use crate::protocol::Command;
use crate::protocol::Prediction;
use crate::task::rules;

/// What was typed and what came back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Own {
    pub text: String,
    /// An answer is on its way.
    pub waiting: bool,
    pub answer: Option<Prediction>,
    /// Why the text cannot be answered.
    pub fault: Option<String>,
    /// The text that was asked; kept, so that its answer follows the training.
    asked: Option<String>,
}

impl State {
    pub(super) fn type_own(&mut self, text: String) -> Vec<Effect> {
        self.own = Own { text, waiting: self.own.waiting, ..Own::default() };
        Vec::new()
    }

    /// Asks the trainer for an answer to what was typed.
    pub(super) fn ask_own(&mut self) -> Vec<Effect> {
        let text = self.own.text.trim().to_string();
        let fault = match &self.config.task {
            task if task.is_strings() => rules::parse_string(&text).err().map(|f| f.message),
            _ => text.is_empty().then(|| "Type a text first.".to_string()),
        };
        self.own.answer = None;
        self.own.fault = fault;
        if self.own.fault.is_some() {
            return Vec::new();
        }
        self.own.asked = Some(text.clone());
        self.predict(text)
    }

    /// Asks once more after φ has changed, or when a worker that was waited for is there.
    pub(super) fn ask_again(&mut self, trainer: Trainer) -> Vec<Effect> {
        let asked = self.own.asked.clone().filter(|t| *t == self.own.text.trim() && self.own.fault.is_none());
        match asked {
            Some(text) if !self.own.waiting || self.answering().1 == trainer => self.predict(text),
            _ => Vec::new(),
        }
    }

    fn predict(&mut self, text: String) -> Vec<Effect> {
        self.own.waiting = true;
        let (run, trainer) = self.answering();
        // φ is the latest run's, so the question goes with that run's configuration.
        let config = self.runs.iter().find(|r| r.id == run).map_or_else(|| self.config.clone(), |r| r.config.clone());
        match self.worker(trainer) {
            WorkerPhase::Ready { .. } => vec![Effect::Send(trainer, Command::Predict { run, config, text })],
            _ => Vec::new(),
        }
    }

    /// The run whose φ answers, and the worker that holds it: the chosen one, else a fresh φ.
    fn answering(&self) -> (u32, Trainer) {
        let run = self.chosen_run().filter(|r| r.config.task == self.config.task);
        run.and_then(|r| Some((r.id, r.trainer?))).unwrap_or((0, Trainer::Cpu))
    }
}
