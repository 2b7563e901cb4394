//! Figures over grids of runs: recorded points, and those of runs that the visitor has made himself.

use crate::config::RunConfig;
use crate::experiments::sweep::{Measured, Sweep};
use crate::ui::state::{Effect, OWN_GRID, Phase, State};
use std::collections::BTreeMap;

/// Points of one line: the same configuration but for axis and seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The values of what varies between lines.
    pub label: String,
    /// (place on the axis, mean, lowest and highest over seeds), places ascending.
    pub points: Vec<(f64, f64, f64, f64)>,
    /// Live runs of the visitor's: (place, accuracy).
    pub live: Vec<(f64, f64)>,
    /// A configuration of the line, at the first seed, for each point.
    pub configs: Vec<RunConfig>,
    /// What the figure's runs of full fine-tuning reached on the line's base and task, where it has such: their
    /// mean. They have no place on the axis.
    pub reference: Option<f64>,
}

/// A point: its place on the axis, its accuracy, what made it.
type Scored = (f64, f64, RunConfig);

impl State {
    /// The figures that this site carries, by their files.
    pub fn experiments(&self) -> Vec<String> {
        self.manifest.files.keys().filter(|name| name.starts_with("sweeps/")).cloned().collect()
    }

    pub(super) fn show_experiment(&mut self, key: Option<String>) -> Vec<Effect> {
        self.experiment = key;
        let Some(key) = self.experiment.as_ref().filter(|key| *key != OWN_GRID) else { return Vec::new() };
        // All are asked for at once: their titles are the list.
        let missing: Vec<String> = self.experiments().into_iter().filter(|k| !self.sweeps.contains_key(k)).collect();
        for key in missing.iter().chain([key]) {
            self.sweeps.entry(key.clone()).or_insert(None);
        }
        missing.into_iter().map(Effect::FetchSweep).collect()
    }

    pub(super) fn show_card(&mut self, shown: bool) -> Vec<Effect> {
        self.card = shown;
        let id = self.config.base.id.to_string();
        let there = self.manifest.files.contains_key(&format!("models/{id}/card.json"));
        let mut effects = self.count_task();
        if shown && there && !self.cards.contains_key(&id) {
            self.cards.insert(id.clone(), None);
            effects.push(Effect::FetchCard(id));
        }
        effects
    }

    /// The lines of a figure, with live points where a finished run of the page belongs to one.
    pub fn lines(&self, measured: &Measured) -> Vec<Line> {
        let mut lines: BTreeMap<String, Vec<Scored>> = BTreeMap::new();
        for point in &measured.points {
            if let Some(place) = measured.sweep.place(&point.config) {
                let key = line_of(&measured.sweep, &point.config);
                lines.entry(key).or_default().push((place, point.accuracy, point.config.clone()));
            }
        }
        let varied = varied(&measured.sweep);
        // The points of one's own grid are live as they are.
        let own = self.queue.measured.as_ref().is_some_and(|m| std::ptr::eq(m, measured));
        let finished = || self.runs.iter().filter(|r| !own && r.phase == Phase::Finished);
        let line = |(key, mut points): (String, Vec<Scored>)| {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let first = &points[0].2;
            let reference = measured.points.iter().filter(|p| {
                measured.sweep.place(&p.config).is_none()
                    && (&p.config.base, &p.config.task) == (&first.base, &first.task)
            });
            let reference: Vec<f64> = reference.map(|p| p.accuracy).collect();
            let mut line = Line {
                label: label(first, &varied),
                points: Vec::new(),
                live: Vec::new(),
                configs: Vec::new(),
                reference: mean(&reference),
            };
            for same in points.chunk_by(|a, b| a.0 == b.0) {
                let scores: Vec<f64> = same.iter().map(|p| p.1).collect();
                let low = scores.iter().copied().fold(1.0, f64::min);
                let high = scores.iter().copied().fold(0.0, f64::max);
                line.points.extend(mean(&scores).map(|mean| (same[0].0, mean, low, high)));
                line.configs.push(same[0].2.clone());
            }
            for run in finished().filter(|r| line_of(&measured.sweep, &r.config) == key) {
                let place = measured.sweep.place(&run.config);
                line.live.extend(place.zip(run.evaluation.map(|e| e.accuracy)));
            }
            line
        };
        lines.into_iter().map(line).collect()
    }
}

impl Line {
    /// The smallest place at which the line reaches nine tenths of full fine-tuning. `None` where the figure
    /// has no runs of that, `Some(None)` where no place does.
    pub fn d90(&self) -> Option<Option<f64>> {
        let enough = 0.9 * self.reference?;
        Some(self.points.iter().find(|p| p.1 >= enough).map(|p| p.0))
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// What a configuration is besides axis, seed and device.
fn line_of(sweep: &Sweep, config: &RunConfig) -> String {
    let apart = [key_of(&sweep.axis), "seed", "device", "demonstrations", "forgetting"];
    let pairs = config.pairs().into_iter().filter(|(key, _)| !apart.contains(&key.as_str()));
    pairs.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

/// The key whose value decides the place on an axis.
fn key_of(axis: &str) -> &str {
    if axis == "parameters" { "base" } else { axis }
}

/// Keys, besides axis and seeds, that take more than one value in the figure.
fn varied(sweep: &Sweep) -> Vec<String> {
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, texts) in sweep.grids.iter().flatten() {
        let known = values.entry(key).or_default();
        texts.iter().for_each(|t| {
            if !known.contains(&t.as_str()) {
                known.push(t)
            }
        });
    }
    let apart = |key: &str| key == key_of(&sweep.axis) || key == "seed" || key == "demonstrations";
    values.into_iter().filter(|(key, texts)| texts.len() > 1 && !apart(key)).map(|(key, _)| key.to_string()).collect()
}

/// A line's name: the values of what varies between lines.
fn label(config: &RunConfig, varied: &[String]) -> String {
    let pairs = config.pairs();
    let value = |key: &String| match key.as_str() {
        "method" => Some(config.label()),
        "rule" | "base" => pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()),
        key => config.knob(key).map(|v| format!("{} {v}", key.replace('_', " "))),
    };
    varied.iter().filter_map(value).collect::<Vec<_>>().join(", ")
}
