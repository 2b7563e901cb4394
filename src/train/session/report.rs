//! What a run reports: losses of steps, evaluations, answers, its end.

use super::evaluations::Evaluations;
use super::run::Session;
use super::timing::Stepped;
use crate::base::{Failure, FailureReason};
use crate::peft::Phi;
use crate::protocol::{Answer, Event, KeptScore, Prediction};
use crate::train::evaluate::{Evaluation, evaluation, parts};
use crate::train::micro_batch::Shared;
use crate::train::optimizer::Report;
use crate::train::pass::Passed;
use crate::train::pieces::Piece;

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
        let (run, setup, asked) = (self.setup.run, &self.setup, self.setup.asked(&phi));
        let Evaluations { live, at_start, .. } = setup.evaluations;
        let live = asked.held_out(self.data(), if step == 0 { at_start } else { live })?;
        let kept = self.kept.as_ref().map(|kept| kept.passes(&asked)).transpose()?;
        let prompts = setup.shown_prompts();
        let shown = setup.answering(&phi, &prompts)?;
        // They do not change.
        let of_base = match self.base_answers.get() {
            Some(_) => Vec::new(),
            None => setup.answering(&Phi::none(), &prompts)?,
        };
        let lengths = [live.len(), kept.as_ref().map_or(0, Vec::len), shown.len()];
        let of_phi = live.into_iter().chain(kept.into_iter().flatten()).chain(shown).map(Piece::Pass);
        let pieces: Vec<Piece> = of_phi.chain(of_base.into_iter().map(Piece::OfTheta)).collect();
        let mut passed = self.share(&phi, &pieces).await?.passed.into_iter();
        let live: Vec<Passed> = passed.by_ref().take(lengths[0]).collect();
        let Evaluation { loss, accuracy, n } = evaluation(&live);
        let parts = parts(self.data(), &live);
        if !loss.is_finite() {
            return Err(self.diverged());
        }
        let of_kept: Vec<Passed> = passed.by_ref().take(lengths[1]).collect();
        let Evaluation { loss: kept_loss, accuracy: kept_accuracy, n: kept_n } = evaluation(&of_kept);
        let kept = (lengths[1] > 0).then_some(KeptScore { loss: kept_loss, accuracy: kept_accuracy, n: kept_n });
        let adapted = setup.answered(passed.by_ref().take(lengths[2]));
        self.base_answers.get_or_init(|| setup.answered(passed));
        let items = self.predictions(adapted);
        Ok(vec![Event::Evaluated { run, step, loss, accuracy, n, kept, parts }, Event::Examples { run, step, items }])
    }

    /// What becomes of passes, beside helpers.
    async fn share(&self, phi: &Phi, passes: &[Piece]) -> Result<Shared, Failure> {
        match self.told {
            None => self.sharing.share(self.theta(), phi, passes).await,
            // The helpers' φ may have been told more than this one, whose numbers are all that they hear of it.
            Some(_) => self.sharing.alone(self.theta(), phi, passes).await,
        }
    }

    /// The first held-out examples, scored, and the answers to those that are shown: by this worker alone.
    pub(super) async fn live_and_shown(&self, phi: &Phi) -> Result<(Evaluation, Vec<Prediction>), Failure> {
        let asked = self.setup.asked(phi);
        let live = evaluation(&asked.run(asked.held_out(self.data(), self.setup.evaluations.live)?).await?);
        let prompts = self.setup.shown_prompts();
        let adapted = self.setup.answers(phi, &prompts).await?;
        if self.base_answers.get().is_none() {
            let answers = self.setup.answers(&Phi::none(), &prompts).await?;
            // Who asked meanwhile heard the same.
            let _ = self.base_answers.set(answers);
        }
        Ok((live, self.predictions(adapted)))
    }

    /// The shown examples with their answers, the base's own beside them.
    fn predictions(&self, adapted: Vec<Answer>) -> Vec<Prediction> {
        let base = self.base_answers.get().into_iter().flatten();
        let items = adapted.into_iter().zip(base).enumerate().map(|(index, (adapted, base))| Prediction {
            index: Some(index),
            input: self.data().inputs[index].clone(),
            base: base.clone(),
            adapted,
            right: Some(self.data().right(index)),
            cut: None,
        });
        items.collect()
    }

    /// The last event: every held-out example scored, of a large base so many as its evaluations may.
    pub(super) async fn finished(&mut self) -> Result<Event, Failure> {
        let start = self.timing.now();
        self.phi.finalize();
        let phi = self.phi.frozen();
        let passes = self.setup.asked(&phi).held_out(self.data(), self.setup.evaluations.at_end)?;
        let passes: Vec<Piece> = passes.into_iter().map(Piece::Pass).collect();
        let Shared { passed, own, own_ms, .. } = self.share(&phi, &passes).await?;
        let all = evaluation(&passed);
        self.timing.spent(self.timing.now() - start);
        // What one takes on one worker.
        let here: usize = own.iter().map(|i| passes[*i].texts()).sum();
        Ok(Event::Finished {
            run: self.setup.run,
            step: self.step,
            loss: all.loss,
            accuracy: all.accuracy,
            n: all.n,
            parts: parts(self.data(), &passed),
            seconds: self.timing.seconds(),
            tokens: self.data().mean_tokens() + self.setup.added() as f64,
            ms: own_ms / here.max(1) as f64,
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
