//! How much in-context learning depends on its prompt, measured around the present configuration.

use crate::protocol::Command;
use crate::protocol::Event;
use crate::ui::state::{Effect, Phase, Prompted, Spread, State, Trainer, WorkerPhase};

impl State {
    /// What was measured for the present configuration.
    pub fn spread(&self) -> Option<&Spread> {
        self.spread.as_ref().filter(|s| s.config.method == self.config.method && s.config.task == self.config.task)
    }

    /// Why the spread cannot be measured now.
    pub fn spread_waits(&self) -> Option<&'static str> {
        if self.runs.iter().any(|r| matches!(r.phase, Phase::Running | Phase::Loading(_))) {
            return Some("A run is training: wait for it, or stop it.");
        }
        match self.worker(Trainer::Cpu) {
            WorkerPhase::Ready { .. } => None,
            _ => Some("The trainer is loading."),
        }
    }

    pub(super) fn measure_spread(&mut self) -> Vec<Effect> {
        if self.config.method.method().demonstrations().is_none() || self.spread_waits().is_some() {
            return Vec::new();
        }
        let config = self.config.clone();
        self.spread = Some(Spread { config: config.clone(), prompts: Vec::new(), n: 0, of: 0, running: true });
        vec![Effect::Send(Trainer::Cpu, Command::Spread { run: 0, config })]
    }

    /// The trainer measures no longer: it was told to stop, has another thing to do, or failed.
    pub(super) fn end_spread(&mut self) {
        if let Some(spread) = &mut self.spread {
            spread.running = false;
        }
    }

    pub(super) fn stop_spread(&mut self) -> Vec<Effect> {
        self.end_spread();
        vec![Effect::Send(Trainer::Cpu, Command::Stop)]
    }

    pub(super) fn prompted(&mut self, event: Event) -> Vec<Effect> {
        if let (Event::Spread { kind, what, accuracy, free, n, done, of, .. }, Some(spread)) = (event, &mut self.spread)
        {
            (spread.n, spread.of) = (n, of);
            spread.running &= done < of;
            spread.prompts.push(Prompted { kind, what, accuracy, free });
        }
        Vec::new()
    }
}
