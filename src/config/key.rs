//! What a key of a run is: its name, its values, where a configuration holds it.

use super::run_config::RunConfig;
use crate::base::{Fault, shorten};
use crate::peft::{Range, Value};

/// One key of a run.
pub struct Key {
    /// Name in URL, flags and JSON (`batch_size`).
    pub name: &'static str,
    /// What the page calls it.
    pub label: &'static str,
    /// One sentence for the tooltip; of base and task their own description stands there.
    pub help: &'static str,
    /// What `--help` says; `None` where the command line has other flags in its place.
    pub flag: Option<&'static str>,
    /// The values; `None` for names that another list admits: bases, tasks, methods, rules, a visitor's data.
    pub range: Option<Range>,
    /// What a control shows where the address leaves the key out. An empty one: an emptied control leaves the
    /// key out.
    pub unset: Option<&'static str>,
    /// What holds then, in the placeholder of an empty field.
    pub default: fn(&RunConfig) -> String,
    /// The tasks that have this choice; none where every run has it.
    pub tasks: &'static [&'static str],
    pub(super) access: Access,
}

/// Where a key's value stands.
pub(super) enum Access {
    /// It decides what other keys mean, so the grammar reads it before them.
    Leading(fn(&RunConfig) -> String),
    /// The task holds it, and reads it itself.
    Task,
    /// A field of the run. It is set to what the range has admitted, or to nothing.
    Run { get: fn(&RunConfig) -> Option<Value>, set: fn(&mut RunConfig, Option<Value>) },
    /// Words around the task's texts and labels. Nothing leaves them to their default.
    Wording { get: fn(&RunConfig) -> Option<String>, set: SetWording },
}

pub(super) type SetWording = fn(&mut RunConfig, Option<&str>) -> Result<(), Fault>;

impl Key {
    pub(super) const PLAIN: Key = Key {
        name: "",
        label: "",
        help: "",
        flag: None,
        range: None,
        unset: None,
        default: |_| String::new(),
        tasks: &[],
        access: Access::Task,
    };

    /// Whether it is one of the tasks' own choices.
    pub fn is_of_task(&self) -> bool {
        matches!(self.access, Access::Task | Access::Wording { .. })
    }

    /// Whether it is a choice of this run's task.
    pub fn is_of(&self, config: &RunConfig) -> bool {
        let is_wording = matches!(self.access, Access::Wording { .. });
        // A text has no words around it, and an answer of its own none that stand for it.
        let has_words = match config.task.is_answered() {
            true => self.name != "labels",
            false => !config.task.is_written(),
        };
        self.tasks.contains(&config.task.name()) && (has_words || !is_wording)
    }

    /// The value as the address writes it; `None` where it is left out.
    pub fn get(&self, config: &RunConfig) -> Option<String> {
        match &self.access {
            Access::Leading(get) => Some(get(config)),
            Access::Task => config.task.pairs().into_iter().find(|(key, _)| *key == self.name).map(|(_, value)| value),
            Access::Run { get, .. } => get(config).map(|value| value.to_string()),
            Access::Wording { get, .. } => get(config),
        }
    }

    /// What a control shows.
    pub fn text(&self, config: &RunConfig) -> String {
        self.get(config).unwrap_or_else(|| self.unset.unwrap_or_default().to_string())
    }

    /// Sets the value from text. Leading keys stay as the grammar has read them.
    pub(super) fn set(&self, config: &mut RunConfig, text: &str) -> Result<(), Fault> {
        match &self.access {
            Access::Leading(_) => Ok(()),
            Access::Task => config.task.set(self.name, text),
            Access::Run { set, .. } => {
                let is_unset = self.unset.is_some_and(|word| !word.is_empty() && word == text.trim());
                set(config, if is_unset { None } else { Some(self.parse(text)?) });
                Ok(())
            }
            Access::Wording { set, .. } if text.trim().is_empty() => set(config, None),
            Access::Wording { .. } if !self.tasks.contains(&config.task.name()) => Err(config.task.lacks(self.name)),
            Access::Wording { set, .. } => set(config, Some(text)),
        }
    }

    /// Leaves the key to its default, where an emptied control may; else `false`.
    pub(super) fn clear(&self, config: &mut RunConfig) -> bool {
        if self.unset != Some("") {
            return false;
        }
        match &self.access {
            Access::Run { set, .. } => set(config, None),
            Access::Wording { set, .. } => drop(set(config, None)),
            // A task without this choice has nothing to leave.
            _ => drop(config.task.set(self.name, "all")),
        }
        true
    }

    fn parse(&self, text: &str) -> Result<Value, Fault> {
        let Some(range) = &self.range else { return Ok(Value::Text(text.to_string())) };
        range.parse(text).map_err(|expected| match range {
            Range::Choice(options) => no_such(self.name, text, &options.iter().map(|(v, _)| *v).collect::<Vec<_>>()),
            Range::Flag => no_such(self.name, text, &["true", "false"]),
            _ => Fault::new(self.name, format!("{} cannot be “{}”: it takes {expected}.", self.name, shorten(text))),
        })
    }
}

/// A name that is none of those that there are.
pub(super) fn no_such(key: &str, text: &str, known: &[&str]) -> Fault {
    Fault::new(key, format!("There is no {key} “{}”. There is: {}.", shorten(text), known.join(", ")))
}
