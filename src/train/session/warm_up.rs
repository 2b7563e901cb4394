//! What a GPU compiles before a run starts.

use super::run::Session;
use crate::base::{Failure, stream};
use crate::train::data::Batch;
use crate::train::optimizer::Optimizer;
use crate::train::step::step;

/// Parts of a [`Session::warm_up`].
pub const WARM_UPS: usize = 3;

impl Session {
    /// Does one of [`WARM_UPS`] parts of what a run does, so that a GPU has compiled it before a run starts.
    /// Changes nothing of the session, which is at its start.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn warm_up(&self, part: usize) -> Result<(), Failure> {
        match part {
            0 => {
                let phi = self.phi.frozen();
                let asked = self.setup.asked(&phi);
                asked.run(asked.held_out(self.data(), self.setup.evaluations.live)?).await?;
            }
            1 => drop(self.setup.answers(&self.phi.frozen(), &self.setup.shown_prompts()).await?),
            _ if self.setup.config.trains() => {
                let config = &self.setup.config;
                let mut rng = stream(config.seed, "warm-up");
                let data = &self.setup.data;
                let batch = Batch::new(&data.draw(config.batch_size(), &mut rng)).among(data.among());
                let mut optimizer = Optimizer::new();
                drop(step(self.theta(), self.phi.clone(), &batch, &mut optimizer, 0.0));
                optimizer.reports().await?;
            }
            _ => {}
        }
        Ok(())
    }
}
