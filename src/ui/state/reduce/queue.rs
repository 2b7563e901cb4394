//! Grids of runs on the page: they wait in a queue and train one after the other, each a point of a figure.

use crate::base::shorten;
use crate::config::RunConfig;
use crate::experiments::sweep::{Measured, Point, Sweep};
use crate::ui::state::{Effect, GridField, OWN_GRID, Phase, Queue, State};
use std::collections::BTreeMap;

/// A longer queue is refused: it is hours of work.
const MAX_RUNS: usize = 200;

impl State {
    pub(super) fn edit_grid(&mut self, field: GridField, text: String) {
        let grid = &mut self.grid;
        *match field {
            GridField::Methods => &mut grid.methods,
            GridField::Axis => &mut grid.axis,
            GridField::Values => &mut grid.values,
            GridField::Seeds => &mut grid.seeds,
        } = text;
    }

    /// The keys that a grid may vary: numbers of the optimizer, the task and the chosen method.
    pub fn grid_axes(&self) -> Vec<&'static str> {
        let knobs = self.config.method.info().knobs.iter().filter(|k| k.is_number()).map(|k| k.name);
        let examples = (!self.config.task.is_written()).then_some("examples");
        let trained = ["lr", "steps", "batch_size"].into_iter().filter(|_| self.config.trains());
        trained.chain(examples).chain(knobs).collect()
    }

    /// The grid as runs of the present base and task; the error is a sentence.
    pub fn grid_sweep(&self) -> Result<(Sweep, Vec<RunConfig>), String> {
        let words = |text: &str| -> Vec<String> {
            text.split([',', ' ', ';']).map(str::trim).filter(|w| !w.is_empty()).map(String::from).collect()
        };
        // One combination keeps its knobs as they are set; of several methods each has its own defaults.
        let present: Vec<&str> = self.config.methods().map(|m| m.info().name).collect();
        let written = words(&self.grid.methods);
        let alone = written.is_empty() || written == [present[0]];
        let methods = if alone { vec![present.join(",")] } else { written };
        let values = words(&self.grid.values);
        if values.is_empty() {
            return Err("Values: numbers with commas between them, such as 0.001, 0.01, 0.1.".into());
        }
        if let Some(word) = values.iter().find(|v| v.parse::<f64>().is_err()) {
            return Err(format!("Values: “{}” is not a number.", shorten(word)));
        }
        let seeds: usize = match self.grid.seeds.trim().parse() {
            Ok(n) if (1..=10).contains(&n) => n,
            _ => return Err("Seeds: a whole number from 1 to 10.".into()),
        };
        let axis = self.grid.axis.clone();
        let apart = |key: &str| key == "method" || key == "seed" || key == axis || (key == "lr" && !alone);
        let shared = |key: &str| {
            ["base", "task", "steps", "batch_size", "device"].contains(&key)
                || crate::config::Key::named(key).is_some_and(crate::config::Key::is_of_task)
        };
        let fixed: BTreeMap<String, String> =
            self.config.pairs().into_iter().filter(|(key, _)| !apart(key) && (alone || shared(key))).collect();
        let grid = BTreeMap::from([
            ("method".to_string(), methods),
            (axis.clone(), values),
            ("seed".to_string(), (0..seeds).map(|s| s.to_string()).collect()),
        ]);
        let sweep = Sweep {
            title: "Your grid".into(),
            question: format!(
                "{} on {}, trained on this machine.",
                self.config.base.called(),
                self.config.task.title()
            ),
            found: String::new(),
            axis,
            fixed,
            grids: vec![grid],
        };
        let runs = sweep.runs()?;
        match runs.len() {
            n if n > MAX_RUNS => Err(format!("These are {n} runs, and {MAX_RUNS} are queued at most.")),
            _ => Ok((sweep, runs)),
        }
    }

    /// Queues the visitor's own grid.
    pub(super) fn run_grid(&mut self) -> Vec<Effect> {
        let Ok((sweep, runs)) = self.grid_sweep() else { return Vec::new() };
        self.experiment = Some(OWN_GRID.into());
        self.enqueue(runs, Some(Measured { sweep, points: Vec::new() }))
    }

    /// Queues the runs of a recorded figure, to be trained once more on this machine.
    pub(super) fn run_figure(&mut self) -> Vec<Effect> {
        let runs = self.figure_runs();
        self.enqueue(runs, None)
    }

    /// The first seed's runs of the shown figure that this page has not finished yet.
    pub fn figure_runs(&self) -> Vec<RunConfig> {
        let measured = self.experiment.as_ref().and_then(|key| self.sweeps.get(key)).and_then(Option::as_ref);
        let Some(runs) = measured.and_then(|m| m.sweep.runs().ok()) else { return Vec::new() };
        let finished = |config: &RunConfig| self.runs.iter().any(|r| r.phase == Phase::Finished && r.config == *config);
        let draws = |config: &RunConfig| config.knob("demonstrations").is_none_or(|draw| draw == "0");
        runs.into_iter().filter(|c| c.seed == 0 && draws(c) && !finished(c)).take(MAX_RUNS).collect()
    }

    fn enqueue(&mut self, runs: Vec<RunConfig>, measured: Option<Measured>) -> Vec<Effect> {
        let own = measured.or_else(|| self.queue.measured.take());
        // The others of a grid train all the same.
        let (runs, refused): (Vec<_>, Vec<_>) =
            runs.into_iter().partition(|config| self.beyond_a_tab(config).is_none());
        if let Some(why) = refused.first().and_then(|config| self.beyond_a_tab(config)) {
            self.fault(format!("{} of the runs are left out. {}: {why}", refused.len(), refused[0].label()), None);
        }
        self.queue = Queue { of: runs.len(), waiting: runs.into(), measured: own, ..Queue::default() };
        self.next_of_queue()
    }

    fn next_of_queue(&mut self) -> Vec<Effect> {
        self.queue.running = None;
        let Some(config) = self.queue.waiting.pop_front() else { return Vec::new() };
        let id = self.next_run;
        let effects = self.start(config, false, None);
        // Where there is no device the run never began, and none behind it would.
        match self.runs.iter_mut().find(|r| r.id == id) {
            Some(run) => {
                run.queued = true;
                self.queue.running = Some(id);
            }
            None => self.queue.waiting.clear(),
        }
        effects
    }

    /// After every event: where the queue's run has ended, the next one begins.
    /// A run that the visitor stopped or replaced ends the queue.
    pub(super) fn follow_queue(&mut self) -> Vec<Effect> {
        let Some(id) = self.queue.running else { return Vec::new() };
        let Some(run) = self.runs.iter().find(|r| r.id == id) else { return self.stop_queue() };
        match run.phase {
            Phase::Finished => {
                if let (Some(measured), Some(e)) = (&mut self.queue.measured, run.evaluation)
                    && measured.sweep.place(&run.config).is_some()
                {
                    measured.points.push(Point {
                        config: run.config.clone(),
                        trainable: run.trainable,
                        loss: e.loss as f32,
                        accuracy: e.accuracy,
                        n: e.n,
                        seconds: run.active_ms / 1e3,
                    });
                }
                let trainer = run.trainer;
                let mut effects = self.next_of_queue();
                // Nobody looks at its φ: of a long queue the trainer would keep too many.
                if self.queue.is_running() {
                    self.runs.iter_mut().filter(|r| r.id == id).for_each(|run| run.trainer = None);
                    effects.extend(trainer.map(|t| Effect::Send(t, crate::protocol::Command::Forget { run: id })));
                }
                effects
            }
            // A rate that is too high is a finding: the grid goes on.
            Phase::Failed(crate::base::FailureReason::Diverged) => {
                self.queue.failed += 1;
                self.next_of_queue()
            }
            Phase::Failed(_) | Phase::Stopped => self.stop_queue(),
            _ => Vec::new(),
        }
    }

    /// Takes what waits off the queue; the run under way goes on.
    pub(super) fn stop_queue(&mut self) -> Vec<Effect> {
        self.queue.of -= self.queue.waiting.len();
        self.queue.waiting.clear();
        self.queue.running = None;
        Vec::new()
    }
}
