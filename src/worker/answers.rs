//! What a run that is held is asked for, and runs that come from files.

use super::browser::{hardware, now};
use super::post::{post, post_failure};
use super::trainer::Trainer;
use crate::base::{Failure, FailureReason};
use crate::config::RunConfig;
use crate::interchange::hf_adapter;
use crate::interchange::hf_adapter::AdapterFiles;
use crate::protocol::{Event, Writing};

impl Trainer {
    /// Scores and answers at θ ⊕ λφ.
    pub(super) async fn dial(&self, run: u32, lambda: f64) -> Result<(), Failure> {
        let (evaluation, items) = self.held(run)?.dialled(lambda).await?;
        let (loss, accuracy, n) = (evaluation.loss, evaluation.accuracy, evaluation.n);
        post(&Event::Dialled { run, lambda, loss, accuracy, n, items });
        Ok(())
    }

    /// The run as a file.
    pub(super) async fn save(&self, run: u32) -> Result<(), Failure> {
        let file = self.held(run)?.run_file(hardware()).await?;
        post(&file);
        Ok(())
    }

    /// φ as Hugging Face PEFT writes it.
    pub(super) async fn export(&self, run: u32) -> Result<(), Failure> {
        let files = self.held(run)?.export().await?;
        post(&Event::Adapter { run, config: files.config, weights: files.weights });
        Ok(())
    }

    /// φ folded into a copy of θ.
    pub(super) async fn merge(&self, run: u32) -> Result<(), Failure> {
        post(&self.held(run)?.merge().await?);
        Ok(())
    }

    /// Takes in a run file: a run at its end, or where it was cut off.
    pub(super) async fn restore(
        &mut self,
        run: u32,
        config: RunConfig,
        events: &[Event],
        tensors: &[u8],
    ) -> Result<(), Failure> {
        let mut session = self.session_for(run, config).await?;
        session.reopen(events, tensors).map_err(|failure| match failure.reason {
            FailureReason::Input => Failure { reason: FailureReason::Damaged, ..failure },
            _ => failure,
        })?;
        self.shelf.push_back(session);
        Ok(())
    }

    /// Takes in an adapter of Hugging Face PEFT as a run at its end.
    pub(super) async fn import(&mut self, run: u32, config: RunConfig, files: AdapterFiles) -> Result<(), Failure> {
        let input = |message: String| Failure { reason: FailureReason::Input, message };
        let (config, stored) = hf_adapter::import(&config, &files).map_err(|e| input(e.to_string()))?;
        let mut session = self.session_for(run, config).await?;
        session.restore(stored);
        session.begin().await?.iter().for_each(post);
        if self.snapshots.on {
            session.snapshot(hardware()).await?.iter().for_each(post);
        }
        self.shelf.push_back(session);
        Ok(())
    }

    /// Begins to go on with a text, in place of another: with the φ of a run of that configuration, else with the φ
    /// such a run would start from.
    pub(super) async fn write(&mut self, run: u32, config: RunConfig, writing: Writing) -> Result<(), Failure> {
        self.stop_writing();
        let writer = match self.held(run) {
            Ok(session) if *session.config() == config => session.writer(writing, now)?,
            // Another φ than that of the run that is asked for would mislead.
            Err(gone) if run != 0 => return Err(gone),
            _ => self.session_for(run, config).await?.writer(writing, now)?,
        };
        self.writer = Some(writer);
        Ok(())
    }

    /// A token more.
    pub(super) async fn write_on(&mut self) {
        let Some(writer) = &mut self.writer else { return };
        match writer.advance().await {
            Ok(event) => {
                event.iter().for_each(post);
                if writer.done() {
                    self.writer = None;
                }
            }
            Err(failure) => {
                self.writer = None;
                post_failure(0, failure);
            }
        }
    }

    /// Ends what is being written.
    pub(super) fn stop_writing(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.stop().iter().for_each(post);
        }
    }

    /// Answers at θ ⊕ λφ with the present φ if it is of that configuration, else with the φ such a run would
    /// start from.
    pub(super) async fn predict(
        &mut self,
        run: u32,
        config: RunConfig,
        text: &str,
        lambda: f64,
    ) -> Result<(), Failure> {
        let item = match self.held(run) {
            Ok(session) if *session.config() == config => session.predict(text, lambda).await?,
            _ => self.session_for(run, config).await?.predict(text, lambda).await?,
        };
        post(&Event::Predicted { run, item });
        Ok(())
    }
}
