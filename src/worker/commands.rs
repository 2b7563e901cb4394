//! What the page asks of a trainer.

use super::backend::Backend;
use super::fetch::Fetch;
use super::identify::identify;
use super::post::{post, post_failure};
use super::trainer::Trainer;
use crate::base::{Failure, FailureReason};
use crate::interchange::hf_adapter::AdapterFiles;
use crate::protocol::{Command, Event};

impl Trainer {
    /// Does what a command says. What goes wrong is told as the failure of the run that it was asked of.
    pub async fn handle(&mut self, command: Command) {
        let asked = match &command {
            Command::Dial { run, .. } | Command::Save { run } | Command::Export { run } | Command::Merge { run } => {
                Some(*run)
            }
            Command::GoOn { run }
            | Command::Restore { run, .. }
            | Command::Import { run, .. }
            | Command::Write { run, .. }
            | Command::Spread { run, .. } => Some(*run),
            // It belongs to no run.
            Command::Prefetch { .. } | Command::Probe { .. } => Some(0),
            _ => None,
        };
        let result = match command {
            Command::Init { assets } => {
                self.forget_moved(&assets);
                self.helpers.set_assets(assets.clone());
                self.files = Fetch::new(assets);
                Ok(())
            }
            // Failures of the site's files come again, and are told, when a run needs them; a visitor waits
            // to hear of their own.
            Command::Prefetch { config } => {
                self.load_helpers(&config);
                match self.load(&config).await {
                    Err(failure) if config.base.is_own() || config.base.fetched().is_some() => Err(failure),
                    Err(_) => Ok(()),
                    Ok(base) => {
                        self.read_examples(&config, &base);
                        self.expect_rehearsal(&config, base);
                        self.expected = (self.backend != Backend::Cpu).then_some(config);
                        Ok(())
                    }
                }
            }
            Command::Probe { config } => {
                self.probe(&config);
                Ok(())
            }
            Command::Identify { number, files } => {
                identify(number, files);
                Ok(())
            }
            Command::Start { run, config, paused } => {
                self.shelve();
                (self.expected, self.warming) = (None, None);
                // A run ends the measurement: it would read the run's task as its own.
                self.spread = None;
                self.stop_writing();
                self.run = run;
                self.begin(run, config, paused).await
            }
            Command::Pause => {
                if self.running {
                    self.running = false;
                    self.snapshot().await;
                    self.tell(|run, step| Event::Paused { run, step });
                }
                Ok(())
            }
            Command::Resume => {
                if self.session.as_ref().is_some_and(|s| !s.done()) && !self.running {
                    self.running = true;
                    self.tell(|run, step| Event::Resumed { run, step });
                }
                Ok(())
            }
            Command::Step => {
                self.running = false;
                if self.session.as_ref().is_some_and(|s| !s.done()) {
                    self.advance(true).await;
                    if self.session.as_ref().is_some_and(|s| !s.done()) {
                        self.tell(|run, step| Event::Paused { run, step });
                    }
                }
                Ok(())
            }
            Command::Stop => {
                self.running = false;
                self.spread = None;
                self.stop_writing();
                if self.session.as_ref().is_some_and(|s| !s.done()) {
                    self.snapshot().await;
                    self.tell(|run, step| Event::Stopped { run, step });
                }
                Ok(())
            }
            Command::Dial { run, lambda } => self.dial(run, lambda).await,
            Command::Save { run } => self.save(run).await,
            Command::GoOn { run } => {
                self.stop_writing();
                self.go_on(run).await
            }
            Command::Keep { on } => {
                self.snapshots.on = on;
                Ok(())
            }
            Command::Export { run } => self.export(run).await,
            Command::Merge { run } => self.merge(run).await,
            Command::Restore { run, config, events, tensors } => self.restore(run, config, &events, &tensors).await,
            Command::Import { run, config, adapter_config, weights } => {
                self.import(run, config, AdapterFiles { config: adapter_config, weights }).await
            }
            Command::Spread { run, config } => self.begin_spread(run, config).await,
            Command::Forget { run } => {
                self.shelf.retain(|session| session.run() != run);
                Ok(())
            }
            Command::Write { run, config, writing } => {
                // What is at fault with a text is no failure of the run.
                match self.write(run, config, writing).await {
                    Err(Failure { reason: FailureReason::Input, message }) => {
                        post(&Event::Unwritten { run, message });
                        Ok(())
                    }
                    written => written,
                }
            }
            Command::StopWriting => {
                self.stop_writing();
                Ok(())
            }
            Command::Predict { run, config, text, lambda } => {
                if let Err(failure) = self.predict(run, config, &text, lambda).await {
                    post_failure(run, failure);
                }
                Ok(())
            }
        };
        if let Err(failure) = result {
            post_failure(asked.unwrap_or(self.run), failure);
        }
    }
}
