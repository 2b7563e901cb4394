//! The session of a run, and how it begins.

use super::log::Log;
use super::peak::Peak;
use super::setup::Setup;
use super::sharing::Sharing;
use super::timing::Timing;
use crate::base::{Failure, stream};
use crate::config::RunConfig;
use crate::model::Model;
use crate::peft::Phi;
use crate::protocol::{Answer, Event};
use crate::train::data::TaskData;
use crate::train::forgetting::Kept;
use crate::train::library::{LoadedBase, Materials};
use crate::train::micro_batch::Helpers;
use crate::train::optimizer::Optimizer;
use crate::train::preparation::Preparation;
use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use std::cell::OnceCell;
use std::rc::Rc;

/// A run under way. It is driven from outside, one [`advance`](Session::advance) a step.
pub struct Session {
    pub(super) setup: Setup,
    /// What has to be done before φ can be made, where there is something.
    pub(super) preparation: Option<Preparation>,
    pub(super) phi: Phi,
    /// Of φ, in front of each text.
    pub(super) virtual_tokens: usize,
    pub(super) optimizer: Optimizer,
    /// Steps done.
    pub(super) step: usize,
    /// Of batches.
    pub(super) rng: ChaCha8Rng,
    pub(super) sharing: Sharing,
    /// The step before which φ was last given what it asked for.
    pub(super) told: Option<usize>,
    /// φ as the run started, while that is still to be scored.
    pub(super) start: Option<Phi>,
    /// The base's own answers to the shown examples: they do not change.
    pub(super) base_answers: OnceCell<Vec<Answer>>,
    /// What the base could do before, where forgetting is measured.
    pub(super) kept: Option<Kept>,
    pub(super) timing: Timing,
    pub(super) peak: Peak,
    /// What the next advance fails with.
    pub(super) fault: Option<Failure>,
    /// What it has reported, for its file.
    pub(super) log: Log,
}

impl Session {
    /// A run at step 0. `device` is θ's, without autodiff; `device_name` (`cpu`, `webgpu`) stands in events.
    /// `clock` tells milliseconds from any origin.
    ///
    /// # Errors
    /// Where the configuration or the data is at fault; the reason is then [`Input`].
    ///
    /// [`Input`]: crate::base::FailureReason::Input
    pub fn new(
        run: u32,
        config: RunConfig,
        base: Rc<LoadedBase>,
        materials: &Materials,
        device: &Device,
        device_name: &str,
        clock: fn() -> f64,
    ) -> Result<Session, Failure> {
        let mut setup = Setup::new(run, config, base, materials, device, device_name)?;
        let kept = setup.kept(materials);
        setup.ration(kept.as_ref());
        let peak = Peak::beside(&setup.base.theta, setup.on_cpu());
        let phi = setup.start(None);
        Ok(Session {
            preparation: Preparation::of(&setup.config),
            virtual_tokens: phi.prompt().map_or(0, |prompt| prompt.dims()[0]),
            phi,
            optimizer: Optimizer::new(),
            step: 0,
            rng: stream(setup.config.seed, "batches"),
            sharing: Sharing::new(setup.parts, clock),
            told: None,
            start: None,
            base_answers: OnceCell::new(),
            kept,
            timing: Timing::new(clock),
            peak,
            fault: None,
            log: Log::default(),
            setup,
        })
    }

    /// Of interest for its end alone: what it starts from is scored on no more than a live evaluation reads.
    pub fn for_its_end(mut self) -> Session {
        self.setup.evaluations.at_start = self.setup.evaluations.live;
        self
    }

    /// The number that the run was given.
    pub fn run(&self) -> u32 {
        self.setup.run
    }

    /// What is trained.
    pub fn config(&self) -> &RunConfig {
        &self.setup.config
    }

    /// The network without φ.
    pub fn theta(&self) -> &Model {
        &self.setup.base.theta
    }

    /// The task's examples.
    pub fn data(&self) -> &TaskData {
        &self.setup.data
    }

    /// φ as it is now.
    pub fn phi(&self) -> &Phi {
        &self.phi
    }

    /// Steps done.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Whether the last step is done.
    pub fn done(&self) -> bool {
        self.preparation.is_none() && self.fault.is_none() && self.step >= self.setup.steps()
    }

    /// Who computes parts of a batch besides this worker.
    pub fn help(&mut self, helpers: Option<Rc<dyn Helpers>>) {
        self.sharing.help(helpers.filter(|_| self.setup.config.trains()));
    }

    /// Says what starts, and judges the base before training: the curve's first point. On a large base that comes
    /// after the first step. Where φ has to be prepared, [`advance`](Self::advance) does that first.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn begin(&mut self) -> Result<Vec<Event>, Failure> {
        let events = match &self.preparation {
            Some(preparation) => vec![preparation.progress(self.setup.run)],
            None => self.started().await?,
        };
        self.log.extend(&events);
        Ok(events)
    }

    /// What starts once φ is made, and the first evaluation, if it is not to come later; of a run without steps also
    /// the last event.
    pub(super) async fn started(&mut self) -> Result<Vec<Event>, Failure> {
        let config = &self.setup.config;
        let started = Event::Started {
            run: self.setup.run,
            config: Box::new(config.clone()),
            device: self.setup.device_name.clone(),
            trainable: config.trainable(),
            total: config.all_parameters(),
            steps: self.setup.steps(),
            baselines: self.setup.data.baselines,
        };
        let mut events = vec![started];
        self.start = Some(self.phi.frozen());
        if !self.setup.evaluations.start_later {
            events.extend(self.report_start().await?);
        }
        if self.done() {
            events.push(self.finished().await?);
        }
        Ok(events)
    }
}
