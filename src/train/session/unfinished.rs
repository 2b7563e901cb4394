//! What a run that has not ended leaves behind, and how it goes on: to the same curve, to the last bit.
//!
//! A step depends on φ, the optimizer's moments, the place in the stream of batches and the step's number, which
//! also seeds what is random in φ. All else follows from the configuration.

use super::log::Log;
use super::run::Session;
use super::setup::input;
use crate::base::{Failure, read};
use crate::interchange::phi_file;
use crate::interchange::training_state::TrainingState;
use crate::model::files::TensorFileError;
use crate::protocol::Event;
use crate::train::micro_batch::Told;
use crate::train::optimizer::Optimizer;

impl Session {
    /// φ as a safetensors file; where the run has not ended, with what its training needs to go on.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn save(&self) -> Result<Vec<u8>, Failure> {
        // A run that was stopped in the midst of pruning has not settled yet. What that takes away is under a mask,
        // where nobody looks at it again.
        let mut phi = self.phi.clone();
        phi.finalize();
        match self.is_under_way() {
            true => phi_file::write_unfinished(self.config(), &phi, &self.training_state().await?).await,
            false => phi_file::write(self.config(), &phi).await,
        }
    }

    /// Whether φ is made, and steps are left.
    pub fn is_under_way(&self) -> bool {
        self.preparation.is_none() && self.fault.is_none() && self.step < self.setup.steps()
    }

    /// The run as it is now, for whoever keeps it: first the steps that have not been reported yet, then all that
    /// [`reopen`](Self::reopen) needs. Nothing while φ is being prepared: such a run begins anew.
    ///
    /// # Errors
    /// Where a loss is no longer a number, or the device is lost.
    pub async fn snapshot(&mut self, hardware: String) -> Result<Vec<Event>, Failure> {
        let mut events = Vec::new();
        if self.timing.waits() {
            events = self.steps_done(self.timing.now()).await?;
            self.log.extend(&events);
        }
        if self.preparation.is_none() && self.fault.is_none() {
            let (text, tensors) = (self.text(hardware)?, self.save().await?);
            events.push(Event::Snapshot { run: self.run(), step: self.step, text, tensors });
        }
        Ok(events)
    }

    /// Takes up a run from its file: what it reported, and φ. Where the file also holds what training needs, the run
    /// stands at that step and can [`go on`](Self::go_on); else it is at its end.
    ///
    /// # Errors
    /// Where φ is not this configuration's.
    pub fn reopen(&mut self, events: &[Event], tensors: &[u8]) -> Result<(), Failure> {
        let stored = phi_file::parse_unfinished(self.config(), &self.config().shape(), tensors);
        let (phi, state) = stored.map_err(input)?;
        self.restore(phi);
        match state {
            Some(state) => self.take_up(events, state)?,
            None => self.log.extend(events),
        }
        Ok(())
    }

    /// After a break, in which the helpers may have been given another run: they are given this one again.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn go_on(&mut self) -> Result<(), Failure> {
        let scores = self.scores();
        let (masks, steps) = (self.masks().await?, self.setup.config.steps);
        let told = self.told.filter(|_| !masks.is_empty()).map(|step| Told { step, steps, values: masks });
        self.sharing.again(scores, told);
        Ok(())
    }

    /// What φ's places were chosen by, as far as they tell.
    fn scores(&self) -> Option<Vec<f32>> {
        let chosen = self.phi.compositions().find_map(|part| part.chosen());
        chosen.map(|chosen| phi_file::scores_of(&self.setup.config.shape(), chosen))
    }

    async fn training_state(&self) -> Result<TrainingState, Failure> {
        let (optimizer_steps, moments) = self.optimizer.moments().await?;
        Ok(TrainingState {
            step: self.step,
            drawn: self.rng.get_word_pos() as u64,
            optimizer_steps,
            moments,
            told: self.told,
            masks: self.masks().await?,
            halvings: self.log.halvings(),
            microseconds: (1e6 * self.timing.seconds()) as u64,
            peak: self.peak.bytes(),
        })
    }

    /// What earlier answers left beside φ's tensors.
    async fn masks(&self) -> Result<Vec<Vec<Vec<f32>>>, Failure> {
        let mut masks = Vec::new();
        for part in self.phi.masks() {
            let mut of_part = Vec::new();
            for mask in part {
                of_part.push(read(mask).await?);
            }
            masks.push(of_part);
        }
        Ok(masks)
    }

    /// Stands at the step of a state. What was reported after it is reported again.
    fn take_up(&mut self, events: &[Event], state: TrainingState) -> Result<(), Failure> {
        let steps = self.setup.config.steps;
        if !state.masks.is_empty() {
            let unfit = || input(TensorFileError::Training("training.mask".into()));
            let told = state.told.ok_or_else(unfit)?;
            // A mask is as long as the tensor that φ asks for.
            let asked = self.phi.host_reads(told, steps);
            let lengths = asked.iter().map(|part| part.iter().map(|tensor| tensor.dims()[0]).collect::<Vec<_>>());
            let found = state.masks.iter().map(|part| part.iter().map(Vec::len).collect::<Vec<_>>());
            if !lengths.eq(found) {
                return Err(unfit());
            }
            self.phi.host_values(told, steps, state.masks);
        }
        self.step = state.step;
        self.told = state.told;
        self.rng.set_word_pos(state.drawn.into());
        self.optimizer = Optimizer::after(state.optimizer_steps, state.moments);
        self.timing.spent(state.microseconds as f64 / 1e3);
        self.peak.take_from(state.peak);
        self.log = Log::of(events.iter().filter(|event| is_before(event, state.step)), state.halvings);
        let is_scored = events.iter().any(|event| matches!(event, Event::Evaluated { step: 0, .. }));
        if self.setup.evaluations.start_later && !is_scored {
            let scores = self.scores();
            self.start = Some(self.setup.start(scores).frozen());
        }
        Ok(())
    }
}

/// Whether a run's log holds an event once so many steps are done.
fn is_before(event: &Event, done: usize) -> bool {
    match event.step() {
        Some(step) => step <= done,
        None => matches!(event, Event::Started { .. }),
    }
}
