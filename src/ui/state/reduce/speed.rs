//! How long the run that is set up would take on this machine.

use super::workers::Device;
use crate::protocol::Command;
use crate::ui::state::{Effect, Speed, State, Trainer};

/// Bytes of a token of English, in a large vocabulary.
const BYTES: usize = 4;
/// Tokens around a text.
const AROUND: usize = 8;
/// Texts that are measured.
const MEASURED: usize = 200;

impl State {
    /// How fast this machine is, where a large base would be trained on its processor and it has been measured.
    pub fn speed(&self) -> Option<Speed> {
        self.speed.flatten().filter(|_| self.is_slow())
    }

    /// Tokens of the present task's examples, on average; a guess until they are read.
    pub fn mean_tokens(&self) -> usize {
        let most = self.config.max_tokens();
        let Some(data) = self.data() else { return most };
        let (n, bytes) = data.texts().take(MEASURED).fold((0, 0), |(n, bytes), text| (n + 1, bytes + text.len()));
        (bytes / (BYTES * n.max(1)) + AROUND).min(most)
    }

    /// Asks for it, once, as soon as a large base is chosen and nothing is trained.
    pub(super) fn measure_speed(&mut self) -> Vec<Effect> {
        let ready = self.worker(Trainer::Cpu).is_ready() && self.active().is_none();
        if self.speed.is_some() || !ready || !self.is_slow() {
            return Vec::new();
        }
        self.speed = Some(None);
        vec![Effect::Send(Trainer::Cpu, Command::Probe { config: self.config.clone() })]
    }

    /// Whether the present base is large and would be trained on the processor.
    fn is_slow(&self) -> bool {
        let large = self.config.base.config().is_ok_and(|model| model.is_large());
        large && matches!(self.device_for(&self.config), Device::Use(Trainer::Cpu))
    }
}
