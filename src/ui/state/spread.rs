//! How much in-context learning depends on its prompt, measured around the present configuration.

use super::{Effect, Phase, State, Trainer, WorkerPhase};
use crate::config::RunConfig;
use crate::peft::MethodConfig;
use crate::protocol::Command;
use crate::protocol::Event;
use crate::protocol::SpreadKind;

/// One prompt's score.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompted {
    pub kind: SpreadKind,
    /// Its difference, in words.
    pub what: String,
    /// `None` where it does not fit.
    pub accuracy: Option<f64>,
    /// Where the likeliest of all tokens counts.
    pub free: Option<f64>,
}

/// What was measured around one configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    pub config: RunConfig,
    pub prompts: Vec<Prompted>,
    /// Questions after each.
    pub n: usize,
    pub of: usize,
    /// Still being measured.
    pub running: bool,
}

impl Spread {
    /// Mean over the prompts of a kind.
    pub fn mean(&self, kind: SpreadKind, value: impl Fn(&Prompted) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.prompts.iter().filter(|p| p.kind == kind).filter_map(value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Where the likeliest of all tokens counts: with no demonstrations, with random labels, with true ones.
    pub fn from_nothing(&self) -> Option<[f64; 3]> {
        let free = |kind| self.mean(kind, |p| p.free);
        Some([free(SpreadKind::Nothing)?, free(SpreadKind::RandomLabels)?, free(SpreadKind::Own)?])
    }
}

impl State {
    /// What was measured for the present configuration.
    pub fn spread(&self) -> Option<&Spread> {
        self.spread.as_ref().filter(|s| s.config.method == self.config.method && s.config.task == self.config.task)
    }

    /// Why the spread cannot be measured now.
    pub fn spread_waits(&self) -> Option<&'static str> {
        if self.runs.iter().any(|r| matches!(r.phase, Phase::Running | Phase::Loading { .. })) {
            return Some("A run is training: wait for it, or stop it.");
        }
        match self.worker(Trainer::Cpu) {
            WorkerPhase::Ready { .. } => None,
            _ => Some("The trainer is loading."),
        }
    }

    pub(super) fn measure_spread(&mut self) -> Vec<Effect> {
        if !matches!(self.config.method, MethodConfig::Icl(_)) || self.spread_waits().is_some() {
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
