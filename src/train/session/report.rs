//! What a run reports: losses of steps, evaluations, answers, its end.

use super::run::Session;
use super::timing::Stepped;
use crate::base::{Failure, FailureReason};
use crate::peft::Phi;
use crate::protocol::{Event, KeptScore, Prediction};
use crate::train::evaluate::{Evaluation, evaluate};
use crate::train::optimizer::Report;

impl Session {
    /// Reads back what the steps since the last time report; the one under way began at `start`. From the
    /// first loss on that is not a number, the run has failed.
    pub(super) async fn steps_done(&mut self, start: f64) -> Result<Vec<Event>, Failure> {
        let reports = self.optimizer.reports().await?;
        let (steps, ms) = self.timing.reported(start);
        let mut events = Vec::with_capacity(steps.len());
        for (Stepped { step, lr, tokens, workers }, Report { loss, norm }) in steps.into_iter().zip(reports) {
            if !(loss.is_finite() && norm.is_finite()) {
                self.step = step;
                let fault = self.diverged();
                if events.is_empty() {
                    return Err(fault);
                }
                self.fault = Some(fault);
                break;
            }
            events.push(Event::Step { run: self.setup.run, step, loss, lr, ms, tokens, grad_norm: norm, workers });
        }
        Ok(events)
    }

    /// Live evaluation and the shown answers.
    pub(super) async fn report(&self) -> Result<Vec<Event>, Failure> {
        self.report_of(self.step, self.phi.frozen()).await
    }

    /// The same of what the run started from, where it has not been told yet.
    pub(super) async fn report_start(&mut self) -> Result<Vec<Event>, Failure> {
        match self.start.take() {
            Some(start) => self.report_of(0, start).await,
            None => Ok(Vec::new()),
        }
    }

    async fn report_of(&self, step: usize, phi: Phi) -> Result<Vec<Event>, Failure> {
        let run = self.setup.run;
        let Evaluation { loss, accuracy, n } = self.live(&phi).await?;
        if !loss.is_finite() {
            return Err(self.diverged());
        }
        let kept = match &self.kept {
            Some(kept) => {
                let Evaluation { loss, accuracy, n } = kept.measure(self.theta(), &phi).await?;
                Some(KeptScore { loss, accuracy, n })
            }
            None => None,
        };
        let items = self.shown(&phi).await?;
        Ok(vec![Event::Evaluated { run, step, loss, accuracy, n, kept }, Event::Examples { run, step, items }])
    }

    /// The first held-out examples, scored.
    pub(super) async fn live(&self, phi: &Phi) -> Result<Evaluation, Failure> {
        evaluate(self.theta(), phi, self.data(), self.setup.evaluations.live).await
    }

    /// The answers to the first held-out examples.
    pub(super) async fn shown(&self, phi: &Phi) -> Result<Vec<Prediction>, Failure> {
        let adapted = self.setup.answers(phi, &self.setup.shown_prompts()).await?;
        let base = self.base_answers().await?;
        let items = adapted.into_iter().zip(base).enumerate().map(|(index, (adapted, base))| Prediction {
            index: Some(index),
            input: self.data().inputs[index].clone(),
            base: base.clone(),
            adapted,
            right: Some(self.data().right(index)),
            cut: None,
        });
        Ok(items.collect())
    }

    /// The last event: every held-out example scored, of a large base so many as its evaluations may.
    pub(super) async fn finished(&mut self) -> Result<Event, Failure> {
        let start = self.timing.now();
        self.phi.finalize();
        let all = evaluate(self.theta(), &self.phi.frozen(), self.data(), self.setup.evaluations.at_end).await?;
        let took = self.timing.now() - start;
        self.timing.spent(took);
        Ok(Event::Finished {
            run: self.setup.run,
            step: self.step,
            loss: all.loss,
            accuracy: all.accuracy,
            n: all.n,
            seconds: self.timing.seconds(),
            tokens: self.data().mean_tokens() + self.setup.added() as f64,
            ms: took / self.data().held_out.len().min(self.setup.evaluations.at_end).max(1) as f64,
            peak: self.peak.bytes(),
        })
    }

    fn diverged(&self) -> Failure {
        Failure {
            reason: FailureReason::Diverged,
            message: format!(
                "The loss is no longer a number at step {}: the rate {} is too high for {}. Everything before is kept; try a rate ten times lower.",
                self.step,
                self.setup.config.learning_rate(),
                self.setup.config.label()
            ),
        }
    }
}
