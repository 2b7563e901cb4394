//! A run as the page keeps it: what its events said, ready to draw.

use super::loading::Loading;
use super::worker::Trainer;
use crate::base::FailureReason;
use crate::config::RunConfig;
use crate::interchange::RunFile;
use crate::ledger::Setting;
use crate::protocol::KeptScore;
use crate::protocol::{Event, PartScore, Prediction};
use crate::task::Baselines;
use std::rc::Rc;

/// Points kept of one curve.
/// A chart is some 400 pixels wide: more cannot be seen, and a run of 100,000 steps stays small.
const MAX_POINTS: usize = 1000;

/// (step, value) pairs, halved in resolution whenever there are more than a chart can show.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    points: Rc<Vec<(f64, f64)>>,
    /// Every `stride`-th value is kept.
    stride: usize,
    seen: usize,
}

impl Default for Curve {
    fn default() -> Self {
        Curve { points: Rc::default(), stride: 1, seen: 0 }
    }
}

impl Curve {
    /// Adds a point; values that are not finite are left out.
    pub fn push(&mut self, step: usize, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.seen += 1;
        if !(self.seen - 1).is_multiple_of(self.stride) {
            return;
        }
        let points = Rc::make_mut(&mut self.points);
        points.push((step as f64, value));
        if points.len() > MAX_POINTS {
            *points = points.iter().step_by(2).copied().collect();
            self.stride *= 2;
        }
    }

    /// The last point, in place of one of the same step; whether there was none.
    fn end(&mut self, step: usize, value: f64) -> bool {
        match Rc::make_mut(&mut self.points).last_mut() {
            Some(last) if last.0 == step as f64 => last.1 = value,
            _ => {
                self.push(step, value);
                return true;
            }
        }
        false
    }

    /// Takes away what is behind a step: a run goes on from there.
    fn cut(&mut self, step: usize) {
        if self.points.last().is_some_and(|(last, _)| *last > step as f64) {
            let points = Rc::make_mut(&mut self.points);
            points.retain(|(at, _)| *at <= step as f64);
            // The next value is the one behind the last that is kept.
            self.seen = points.len().saturating_sub(1) * self.stride + usize::from(!points.is_empty());
        }
    }

    /// What is kept, steps ascending.
    pub fn points(&self) -> &Rc<Vec<(f64, f64)>> {
        &self.points
    }
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Before the first step: what is being waited for, and how much of it is there.
    Loading(Loading),
    /// Steps are made.
    Running,
    /// It waits between two steps.
    Paused,
    /// Ended by the visitor.
    Stopped,
    /// All steps are done.
    Finished,
    /// Ended by something that went wrong.
    Failed(FailureReason),
    /// Another tab of this page trains it.
    Elsewhere,
}

impl Phase {
    /// Whether the trainer still holds the run.
    pub fn is_active(&self) -> bool {
        matches!(self, Phase::Loading(_) | Phase::Running | Phase::Paused)
    }

    /// The phase before anything has been heard of a run.
    pub fn waiting(what: &str) -> Phase {
        Phase::Loading(Loading { what: what.into(), done: 0, of: 0 })
    }
}

/// Held-out measures at a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Steps done before it.
    pub step: usize,
    /// Mean over the examples, in nats.
    pub loss: f64,
    /// Share right.
    pub accuracy: f64,
    /// Examples.
    pub n: usize,
}

impl Evaluation {
    /// Half the width of the 95 % interval of a share measured on `n` examples (Wilson's).
    pub fn half_width(&self) -> f64 {
        half_width(self.accuracy, self.n)
    }
}

/// Half the width of Wilson's 95 % interval of a share `p` of `n`.
/// Unlike the normal one it is not zero at 0 and 100 %.
pub fn half_width(p: f64, n: usize) -> f64 {
    const Z: f64 = 1.96;
    let n = n.max(1) as f64;
    Z / (1.0 + Z * Z / n) * ((p * (1.0 - p)).max(0.0) / n + Z * Z / (4.0 * n * n)).sqrt()
}

/// What one prediction of a run takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictionCost {
    /// Tokens that it reads on average, those in front of the text included.
    pub tokens: f64,
    /// Milliseconds.
    pub ms: f64,
    /// Operations, as the ledger counts them.
    pub operations: f64,
}

impl PredictionCost {
    fn of(config: &RunConfig, tokens: f64, ms: f64) -> PredictionCost {
        PredictionCost { tokens, ms, operations: Setting::of_whole(config).reading(tokens) }
    }
}

/// A run, live or recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The number its `start` command gave; 0 for a recorded run.
    pub id: u32,
    /// Read from a file of the site.
    pub recorded: bool,
    /// What it trains, and on what.
    pub config: RunConfig,
    /// Where it stands.
    pub phase: Phase,
    /// The worker that holds it, once it was asked to start.
    pub trainer: Option<Trainer>,
    /// What it trains on, once the trainer has said so.
    pub device: Option<String>,
    /// Elements of φ.
    pub trainable: u64,
    /// Parameters in all, as PEFT counts them.
    pub total: u64,
    /// What its accuracy is judged against, once the trainer has said so.
    pub baselines: Option<Baselines>,
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Share of held-out examples right.
    pub accuracy: Curve,
    /// Loss on them, in nats.
    pub held_out_loss: Curve,
    /// Loss of each step's batch, in nats.
    pub training_loss: Curve,
    /// Norm of each step's gradient.
    pub grad_norm: Curve,
    /// What the base could do before, as a share right.
    pub kept_accuracy: Curve,
    /// The same as a loss.
    pub kept_loss: Curve,
    /// What a prediction takes, once that was measured.
    pub prediction: Option<PredictionCost>,
    /// The latest, over all held-out examples once the run has finished.
    pub evaluation: Option<Evaluation>,
    /// The first and the latest of those on its way, which are what the dial measures, too.
    pub live: Option<[Evaluation; 2]>,
    /// What of answers that are written freely is right, by the latest evaluation.
    pub parts: Rc<Vec<PartScore>>,
    /// Answers to the first held-out examples.
    pub examples: Rc<Vec<Prediction>>,
    /// Steps done when it gave these.
    pub answered: usize,
    /// Bytes at the most and operations of a step, expected; `None` where nothing is trained.
    pub cost: Option<(u64, f64)>,
    /// The most bytes that the trainer counted in a step.
    pub peak: Option<u64>,
    /// Milliseconds per step, smoothed over the last reports.
    pub ms: f64,
    /// Tokens read in the last step, which its workers shared.
    pub tokens: usize,
    /// How many workers that is.
    pub workers: usize,
    /// Its rising loss has been told.
    pub warned: bool,
    /// Milliseconds between its first and last report while it ran.
    pub active_ms: f64,
    /// An adapter from elsewhere, which says itself what method it is.
    pub imported: bool,
    /// One of a grid: of these, page and trainer keep the latest.
    pub queued: bool,
    /// Its key in the browser's store, where it was read from there.
    pub key: Option<Rc<str>>,
    /// Bytes of its φ in the store; 0 where there are none.
    pub kept: u64,
    /// It was ended by the visitor, and not by the end of its tab.
    pub was_stopped: bool,
    /// What the store holds of its φ cannot be read.
    pub damaged: bool,
}

impl Phase {
    /// Whether the trainer has said what it does.
    pub fn has_begun(&self) -> bool {
        !matches!(self, Phase::Loading(_) | Phase::Failed(_))
    }
}

impl Run {
    /// A run that has been asked for.
    pub fn new(id: u32, config: RunConfig) -> Run {
        Run {
            id,
            recorded: false,
            phase: Phase::waiting("the trainer"),
            trainer: None,
            device: None,
            trainable: config.trainable(),
            total: config.all_parameters(),
            baselines: None,
            step: 0,
            steps: config.steps,
            accuracy: Curve::default(),
            held_out_loss: Curve::default(),
            training_loss: Curve::default(),
            grad_norm: Curve::default(),
            kept_accuracy: Curve::default(),
            kept_loss: Curve::default(),
            prediction: None,
            evaluation: None,
            live: None,
            parts: Rc::default(),
            examples: Rc::default(),
            answered: 0,
            cost: step_cost(&config),
            peak: None,
            ms: 0.0,
            tokens: 0,
            workers: 1,
            warned: false,
            active_ms: 0.0,
            imported: false,
            queued: false,
            key: None,
            kept: 0,
            was_stopped: false,
            damaged: false,
            config,
        }
    }

    /// A run read from a file of the site.
    pub fn recorded(file: RunFile) -> Run {
        let mut run = Run::new(0, file.config);
        (run.recorded, run.phase) = (true, Phase::Finished);
        (run.trainable, run.total) = (file.trainable, file.total);
        (run.device, run.baselines) = (Some(file.device), Some(file.baselines));
        (run.examples, run.parts) = (Rc::new(file.examples), Rc::new(file.parts));
        run.ms = file.ms_per_step;
        for (step, loss) in file.losses {
            run.training_loss.push(step, f64::from(loss));
        }
        run.prediction = file.prediction.map(|(tokens, ms)| PredictionCost::of(&run.config, tokens, ms));
        run.peak = file.peak;
        file.kept.iter().for_each(|(step, kept)| run.kept_score(*step, kept));
        for (step, loss, accuracy, n) in file.evaluations {
            run.evaluated(Evaluation { step, loss: f64::from(loss), accuracy, n });
        }
        if let Some((step, loss, accuracy, n, _)) = file.finished {
            run.finished(Evaluation { step, loss: f64::from(loss), accuracy, n });
        }
        run
    }

    /// The name of its curve and row.
    pub fn label(&self) -> String {
        self.config.label()
    }

    /// Milliseconds until the last step, from the time that the steps so far took, evaluations included.
    pub fn time_left(&self) -> Option<f64> {
        (self.step >= 3 && self.active_ms > 0.0)
            .then(|| self.active_ms / self.step as f64 * self.steps.saturating_sub(self.step) as f64)
    }

    /// Held-out loss before training and at its worst, where training has made it far worse.
    pub fn rising_loss(&self) -> Option<(f64, f64)> {
        /// Early in training a loss may double and come back; it does not come back from here.
        const FAR: f64 = 4.0;
        let first = self.held_out_loss.points.first()?.1;
        let worst = self.held_out_loss.points.iter().map(|p| p.1).fold(first, f64::max);
        (worst > FAR * first.max(0.5)).then_some((first, worst))
    }

    /// Takes in one event of this run.
    pub fn apply(&mut self, event: &Event) {
        match event {
            // A worker that fetches ahead for another run reports it under the last one's number.
            Event::Loading { what, done, of, .. } if matches!(self.phase, Phase::Loading(_)) => {
                self.phase = Phase::Loading(Loading { what: what.clone(), done: *done, of: *of });
            }
            Event::Started { device, trainable, total, steps, baselines, config, .. } => {
                self.config = RunConfig::clone(config);
                self.cost = step_cost(config);
                (self.trainable, self.total, self.steps) = (*trainable, *total, *steps);
                (self.device, self.baselines) = (Some(device.clone()), Some(*baselines));
                self.phase = Phase::Running;
            }
            Event::Step { step, loss, ms, tokens, grad_norm, workers, .. } => {
                self.workers = *workers;
                self.step = *step;
                self.tokens = *tokens;
                self.training_loss.push(*step, f64::from(*loss));
                self.grad_norm.push(*step, f64::from(*grad_norm));
                if ms.is_finite() {
                    self.ms = if self.ms == 0.0 { *ms } else { 0.8 * self.ms + 0.2 * ms };
                }
            }
            Event::Evaluated { step, loss, accuracy, n, kept, parts, .. } => {
                self.parts = Rc::new(parts.clone());
                kept.iter().for_each(|kept| self.kept_score(*step, kept));
                self.evaluated(Evaluation { step: *step, loss: f64::from(*loss), accuracy: *accuracy, n: *n });
            }
            Event::Examples { step, items, .. } => (self.examples, self.answered) = (Rc::new(items.clone()), *step),
            Event::Paused { step, .. } => (self.phase, self.step) = (Phase::Paused, *step),
            Event::Resumed { step, .. } => {
                (self.phase, self.was_stopped) = (Phase::Running, false);
                // What was reported after its snapshot comes again.
                if *step < self.step {
                    self.step = *step;
                    let held_out = [&mut self.accuracy, &mut self.held_out_loss];
                    let training = [&mut self.training_loss, &mut self.grad_norm];
                    let kept = [&mut self.kept_accuracy, &mut self.kept_loss];
                    held_out.into_iter().chain(training).chain(kept).for_each(|curve| curve.cut(*step));
                }
            }
            Event::Stopped { step, .. } => {
                (self.phase, self.step, self.was_stopped) = (Phase::Stopped, *step, true);
            }
            Event::Finished { step, loss, accuracy, n, parts, tokens, ms, peak, .. } => {
                self.parts = Rc::new(parts.clone());
                self.peak = *peak;
                self.prediction = (*tokens > 0.0).then(|| PredictionCost::of(&self.config, *tokens, *ms));
                self.finished(Evaluation { step: *step, loss: f64::from(*loss), accuracy: *accuracy, n: *n });
            }
            Event::Failed { reason, .. } => self.phase = Phase::Failed(*reason),
            _ => {}
        }
    }

    fn kept_score(&mut self, step: usize, kept: &KeptScore) {
        self.kept_accuracy.push(step, kept.accuracy);
        self.kept_loss.push(step, f64::from(kept.loss));
    }

    fn evaluated(&mut self, evaluation: Evaluation) {
        self.step = self.step.max(evaluation.step);
        self.accuracy.push(evaluation.step, evaluation.accuracy);
        self.held_out_loss.push(evaluation.step, evaluation.loss);
        self.evaluation = Some(evaluation);
        self.live = Some([self.live.map_or(evaluation, |[first, _]| first), evaluation]);
    }

    fn finished(&mut self, evaluation: Evaluation) {
        // The last live evaluation was of the same φ on a part of these examples: the curve ends at what the table says.
        // Of a loss, which may rise, both ends stay live evaluations where there are two.
        if self.accuracy.end(evaluation.step, evaluation.accuracy) {
            self.held_out_loss.push(evaluation.step, evaluation.loss);
        }
        (self.phase, self.step, self.evaluation) = (Phase::Finished, evaluation.step, Some(evaluation));
    }
}

/// What a step of a configuration needs, for its row: bytes at the most, operations.
fn step_cost(config: &RunConfig) -> Option<(u64, f64)> {
    let training = Setting::of(config).ledger().training?;
    let flops = training.forward.total() + training.backward.total() + training.optimizer;
    Some((training.memory.peak.bytes, flops))
}

/// A share as the page writes it: `99.6 %`, `100 %`, `0 %`.
pub fn percent(share: f64) -> String {
    let value = 100.0 * share;
    if value == 0.0 || value >= 99.95 { format!("{value:.0} %") } else { format!("{value:.1} %") }
}

/// Milliseconds as a person says them: `10 s`, `2 min 5 s`.
pub fn duration(ms: f64) -> String {
    let seconds = (ms / 1000.0).ceil().max(0.0) as u64;
    match seconds {
        0..=89 => format!("{seconds} s"),
        90..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A number to three significant digits, without an exponent where a person would not write one.
pub fn significant(x: f64) -> String {
    match x.abs() {
        a if a >= 100.0 => format!("{x:.0}"),
        a if a >= 10.0 => format!("{x:.1}"),
        a if a >= 0.01 || a == 0.0 => format!("{x:.2}"),
        _ => format!("{x:.0e}"),
    }
}
