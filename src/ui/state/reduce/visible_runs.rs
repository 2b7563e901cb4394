//! What is on the chart, in the table and among the examples.
//! These are live runs of the present task, and recorded ones where none is.

use crate::config::RunConfig;
use crate::interchange::RunFile;
use crate::peft::MethodConfig;
use crate::protocol::Prediction;
use crate::task::{Baselines, Labelled, TaskConfig, style};
use crate::ui::state::{Effect, Recordings, Run, State};
use std::rc::Rc;

/// The part that a run plays on the page, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The run one looks at: φ's colour.
    Chosen,
    /// Another one, with its place in the palette.
    Other(usize),
    /// Recorded full fine-tuning, dashed and grey.
    Reference,
}

/// A run with its part.
#[derive(Clone, Debug, PartialEq)]
pub struct VisibleRun<'a> {
    /// Live or recorded.
    pub run: &'a Run,
    /// Its part.
    pub role: Role,
    /// Its name, which tells it from the others: `LoRA r 4, seed 1`.
    pub label: String,
}

impl<'a> VisibleRun<'a> {
    fn new(run: &'a Run, role: Role) -> VisibleRun<'a> {
        VisibleRun { run, role, label: run.label() }
    }
}

/// Names what differs between runs that would read the same. A recorded run is told from live ones by its badge.
fn tell_apart(shown: &mut [VisibleRun]) {
    let alike = |a: &VisibleRun, b: &VisibleRun| {
        a.label == b.label && a.run.recorded == b.run.recorded && a.run.config.base == b.run.config.base
    };
    let names = |of: &VisibleRun| {
        let others = shown.iter().filter(|s| alike(s, of) && s.run.config != of.run.config);
        let mut keys: Vec<(&'static str, String)> = Vec::new();
        for key in others.flat_map(|other| of.run.config.differences(&other.run.config)) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        // A name and its value stay on one line.
        keys.into_iter().map(|(name, value)| format!(", {name}\u{a0}{value}")).collect::<String>()
    };
    let names: Vec<String> = shown.iter().map(names).collect();
    shown.iter_mut().zip(names).for_each(|(shown, name)| shown.label.push_str(&name));
}

impl State {
    /// The file that holds the recorded runs of a configuration.
    pub fn recordings_key(config: &RunConfig) -> String {
        match &config.task {
            TaskConfig::Rules { rule, .. } => format!("runs/rules/{rule}.jsonl"),
            TaskConfig::Questions { question, .. } => format!("runs/questions/{}.jsonl", question.name()),
            TaskConfig::Text { of, .. } => format!("runs/{}/{}.jsonl", of.stem(), config.base.id),
            TaskConfig::Style { author } => {
                format!("runs/style/{}-{}.jsonl", style::AUTHORS[*author].0, config.base.id)
            }
            TaskConfig::Extract { subject, .. } => format!("runs/extract/{}-{}.jsonl", subject.name(), config.base.id),
            // Nobody recorded any.
            TaskConfig::UserData { data, .. } => format!("runs/own/{}.jsonl", data.name),
        }
    }

    /// Asks for files that the present configuration shows and that are not here yet.
    pub(super) fn load_what_is_shown(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let key = Self::recordings_key(&self.config);
        if !self.recordings.contains_key(&key) {
            let there = self.manifest.files.contains_key(&key);
            self.recordings.insert(key.clone(), if there { Recordings::Loading } else { Recordings::Missing });
            effects.extend(there.then_some(Effect::FetchRuns(key)));
        }
        // Of the others the trainer sends what is shown.
        if let Some(file) = self.config.task.file().filter(|_| self.config.task.label_count().is_some())
            && !self.data.contains_key(&file)
        {
            self.data.insert(file.clone(), None);
            effects.push(Effect::FetchData(file));
        }
        effects
    }

    pub(super) fn recordings_arrived(&mut self, key: String, text: Option<&str>) {
        // A file that cannot be read is as good as none: recorded runs are an extra, Train works without.
        let runs = text.and_then(|text| RunFile::read_all(text).ok());
        let recordings = runs.map_or(Recordings::Missing, |runs| {
            Recordings::Ready(Rc::new(runs.into_iter().map(Run::recorded).collect()))
        });
        self.recordings.insert(key, recordings);
    }

    pub(super) fn data_arrived(&mut self, key: String, text: Option<&str>) -> Vec<Effect> {
        match text.and_then(|text| Labelled::from_json(text).ok()) {
            Some(data) => {
                self.data.insert(key, Some(Rc::new(data)));
            }
            // A later visit to the task may ask again.
            None => drop(self.data.remove(&key)),
        }
        self.count_task()
    }

    /// The examples of the present task, if it has a file and that is here.
    pub fn data(&self) -> Option<&Rc<Labelled>> {
        self.data.get(&self.config.task.file()?)?.as_ref()
    }

    /// The tasks whose examples this site carries.
    /// What Python could not fetch when it was built is not offered.
    pub fn tasks(&self) -> Vec<&'static str> {
        let carried = |name: &&str| {
            let file = TaskConfig::named(name).and_then(|task| task.file()).filter(|_| *name != "own");
            let held = *name != "own" || !self.bring.data.is_empty();
            held && file.is_none_or(|file| self.manifest.files.contains_key(&file)) || *name == self.config.task.name()
        };
        TaskConfig::NAMES.into_iter().filter(carried).collect()
    }

    /// The recorded runs of the present task, if they are here.
    pub fn recordings(&self) -> &Recordings {
        self.recordings.get(&Self::recordings_key(&self.config)).unwrap_or(&Recordings::Missing)
    }

    fn recorded(&self, fits: impl Fn(&Run) -> bool) -> Option<&Run> {
        match self.recordings() {
            Recordings::Ready(runs) => runs.iter().find(|r| fits(r)),
            _ => None,
        }
    }

    /// The recorded run of the chosen method: with the same knobs, else with the knobs it was recorded with.
    pub fn recorded_choice(&self) -> Option<&Run> {
        let method = &self.config.method;
        if !self.config.also.is_empty() {
            return self.recorded(|r| r.config.method == *method && r.config.also == self.config.also);
        }
        self.recorded(|r| r.config.method == *method)
            .or_else(|| self.recorded(|r| r.config.method.info().name == method.info().name))
    }

    /// What full fine-tuning reached on the present base and task, where a run of it is recorded.
    pub fn reference(&self) -> Option<f64> {
        let full = MethodConfig::everything().info().name;
        let run = self.recorded(|r| r.config.method.info().name == full && r.config.base == self.config.base);
        run?.evaluation.map(|e| e.accuracy)
    }

    /// Live runs of the present task, in the order in which they were started.
    fn comparable(&self) -> impl DoubleEndedIterator<Item = &Run> {
        self.runs.iter().filter(|r| r.config.task.same_questions(&self.config.task) && !self.is_aside(r))
    }

    /// Whether a run is a point of a grid and no more: chart and table have room for a few.
    pub(super) fn is_aside(&self, run: &Run) -> bool {
        run.queued && self.runs.last().is_none_or(|latest| latest.id != run.id)
    }

    /// All that chart and table show, the run one looks at first.
    pub fn visible_runs(&self) -> Vec<VisibleRun<'_>> {
        let mut shown = self.shown_runs();
        tell_apart(&mut shown);
        shown
    }

    /// The same, under names that may repeat.
    fn shown_runs(&self) -> Vec<VisibleRun<'_>> {
        let mut shown: Vec<VisibleRun> = Vec::new();
        // The chosen run may be of another base; then the latest is in front.
        let first = self.chosen_run().map(|r| r.id).or_else(|| self.comparable().next_back().map(|r| r.id));
        for run in self.comparable().rev() {
            let role = if Some(run.id) == first { Role::Chosen } else { Role::Other(run.id as usize) };
            shown.push(VisibleRun::new(run, role));
        }
        shown.sort_by_key(|s| s.role != Role::Chosen);
        let method = self.config.method.info().name;
        let has_live =
            shown.iter().any(|s| s.run.config.method.info().name == method && s.run.config.base == self.config.base);
        let full = MethodConfig::everything().info().name;
        let is_full = method == full;
        if !has_live && let Some(run) = self.recorded_choice() {
            // A recorded choice beside live runs takes the palette's first place.
            // No live run has the number 0.
            let role = if shown.is_empty() { Role::Chosen } else { Role::Other(0) };
            if shown.is_empty() || !is_full {
                shown.push(VisibleRun::new(run, role));
            }
        }
        let drawn = is_full && shown.iter().any(|s| s.run.recorded);
        if !drawn && let Some(run) = self.recorded(|r| r.config.method.info().name == full) {
            shown.push(VisibleRun::new(run, Role::Reference));
        }
        shown
    }

    /// The run whose examples are shown.
    /// The latest live one on the present base and task, else the recorded one.
    pub fn exemplary(&self) -> Option<&Run> {
        self.chosen_run().filter(|r| !r.examples.is_empty()).or_else(|| self.recorded_choice())
    }

    /// The examples to show, `None` in place of answers that nobody has given yet.
    pub fn examples(&self) -> Vec<(Option<usize>, Option<Prediction>)> {
        // What is written freely is longer than a label, and an answer to a visitor's own text takes room as well.
        let task = &self.config.task;
        let shown = match () {
            () if task.is_answered() => 1,
            () if task.is_written() => {
                if self.try_it.answer.is_some() {
                    1
                } else {
                    2
                }
            }
            () => 3,
        };
        let items = self
            .dialled_examples()
            .map(|(_, items)| items)
            .or_else(|| self.exemplary().map(|r| r.examples.clone()))
            .unwrap_or_default();
        let mut rows: Vec<_> = items.iter().take(shown).map(|p| (p.index, Some(p.clone()))).collect();
        for i in rows.len()..shown {
            rows.push((Some(i), None));
        }
        rows
    }

    /// What the base alone scored on the present task.
    /// `None` until a run has begun with it.
    pub fn before_training(&self) -> Option<f64> {
        let run =
            self.shown_runs().into_iter().map(|s| s.run).find(|r| r.config.base == self.config.base && r.steps > 0)?;
        let (_, accuracy) = run.accuracy.points().first().filter(|(step, _)| *step == 0.0)?;
        Some(*accuracy)
    }

    /// What accuracies of the present task are judged against, as far as a run has said it.
    pub fn baselines(&self) -> Option<Baselines> {
        self.shown_runs().iter().find_map(|s| s.run.baselines)
    }
}
