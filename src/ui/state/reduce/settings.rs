//! What a visitor sets: every control edits the same key and text that the URL holds, and is checked by the
//! same grammar.

use super::training::send;
use crate::base::{Fault, shorten};
use crate::bases::{Base, OwnBase};
use crate::config::{RunConfig, Settled};
use crate::peft::MethodConfig;
use crate::protocol::Command;
use crate::task::TaskConfig;
use crate::ui::state::{Draft, Drafts, Effect, NoticeTone, Phase, Remedy, State, Trainer};

impl State {
    /// What a control shows: what was typed into it last, or the configuration's value.
    pub fn text_of(&self, key: &str) -> String {
        text_of(&self.config, &self.drafts, key)
    }

    /// Sets one key from text. Text that cannot be used becomes a draft with its fault.
    pub(super) fn set(&mut self, key: &str, text: &str) -> Vec<Effect> {
        match key {
            "method" => return self.choose_method(text),
            "base" => return self.choose_base(text),
            "task" => return self.choose_task(text),
            "data" => return self.choose_data(text),
            _ => {}
        }
        let mut wanted: Vec<(&str, &str)> = self.drafts.iter().map(|(k, d)| (k.as_str(), d.text.as_str())).collect();
        wanted.retain(|(k, _)| *k != key);
        wanted.push((key, text));
        // Drafts may need each other (a start “from a text” and the text), so all are tried together first.
        let mut attempt = self.config.with(&wanted);
        if attempt.is_err() {
            attempt = match self.config.with(&[(key, text)]) {
                Ok(config) => {
                    self.drafts.remove(key);
                    self.keep_spelling(&config, key, text);
                    return self.adopt(config);
                }
                Err(alone) => attempt.map_err(|_| alone),
            };
        }
        match attempt {
            Ok(config) => {
                self.drafts.clear();
                self.keep_spelling(&config, key, text);
                self.adopt(config)
            }
            Err(fault) => {
                // A fault of another key (no text yet for a start from a text) is shown at that key.
                let culprit = fault.key.clone();
                let own = (culprit == key).then(|| fault.clone());
                self.drafts.insert(key.to_string(), Draft { text: text.to_string(), fault: own });
                if culprit != key && self.config.knob(&culprit).is_some() {
                    let text = self.text_of(&culprit);
                    self.drafts.insert(culprit, Draft { text, fault: Some(fault) });
                } else if culprit != key
                    && let Some(draft) = self.drafts.get_mut(key)
                {
                    draft.fault = Some(fault);
                }
                Vec::new()
            }
        }
    }

    /// While a visitor types `1.`, the control must not turn it into `1` under the cursor.
    fn keep_spelling(&mut self, config: &RunConfig, key: &str, text: &str) {
        if config.text(key) != text {
            self.drafts.insert(key.to_string(), Draft { text: text.to_string(), fault: None });
        }
    }

    /// A control was left: what it holds is written as the configuration has it.
    pub(super) fn settle(&mut self, key: &str) {
        self.drafts.retain(|k, d| k != key || d.fault.is_some());
    }

    /// Takes over a configuration that trains, with all that follows from it.
    pub(super) fn adopt(&mut self, config: RunConfig) -> Vec<Effect> {
        if let Err(fault) = config.check() {
            // Nothing leads here by a control; a trainer would refuse it without saying where it comes from.
            self.fault(fault.message, None);
            return Vec::new();
        }
        let moved = config.base != self.config.base || config.task != self.config.task;
        let elsewhere = config.device != self.config.device;
        let names = |config: &RunConfig| config.methods().map(|m| m.info().name).collect::<Vec<_>>();
        let otherwise = names(&config) != names(&self.config);
        self.config = config;
        let mut effects = vec![Effect::ReplaceHash(self.hash())];
        effects.extend(self.pause_what_is_out_of_sight());
        if moved {
            self.try_it.answer = None;
            self.try_it.fault = None;
            effects.extend(self.load_what_is_shown());
        }
        if moved || elsewhere || otherwise && self.trainer() == Some(Trainer::Gpu) {
            effects.extend(self.prefetch());
        }
        effects
    }

    /// A run that trains on another base or task is on no chart any more: it waits, and the page says where.
    /// One that has not begun is given up. Those of a grid go on: their place is the queue's line.
    fn pause_what_is_out_of_sight(&mut self) -> Vec<Effect> {
        let Some(run) = self.active() else { return Vec::new() };
        let in_sight = run.config.base == self.config.base && run.config.task.same_questions(&self.config.task);
        if in_sight || run.queued {
            return Vec::new();
        }
        match run.phase {
            Phase::Running => {
                let text = format!(
                    "{} on {} is paused: it goes on when you turn back to it and press Resume.",
                    run.label(),
                    run.config.task.title()
                );
                let remedy = Some(Remedy::TurnBack(run.id));
                let mut effects = send(run, Command::Pause);
                effects.extend(self.say(NoticeTone::Info, text, remedy));
                effects
            }
            Phase::Loading(_) => self.press_stop(),
            _ => Vec::new(),
        }
    }

    /// The method as it would be chosen now: with the knobs it had when it was left, where they fit this
    /// base.
    pub fn method_named(&self, name: &str) -> Option<MethodConfig> {
        if let Some(method) = self.config.methods().find(|m| m.info().name == name) {
            return Some(method.clone());
        }
        let left = self.left_methods.iter().find(|m| m.info().name == name).cloned();
        let (shape, tokens) = (self.config.shape(), self.config.max_tokens());
        left.filter(|m| self.config.check_method(m, &shape, tokens).is_ok()).or_else(|| MethodConfig::named(name))
    }

    fn choose_method(&mut self, name: &str) -> Vec<Effect> {
        let Some(method) = self.method_named(name).filter(|m| *m != self.config.method) else { return Vec::new() };
        self.leave(self.config.method.clone());
        self.drafts.clear();
        // Each method has its own tuned rate: one carried over would make the next look broken.
        let mut config = RunConfig { method, lr: None, ..self.config.clone() };
        // What trained beside the method before stays where it can.
        config.also.retain(|m| m.info().name != name);
        while config.check().is_err() && !config.also.is_empty() {
            config.also.pop();
        }
        self.adopt(config)
    }

    /// Keeps a method's knobs for the next time it is chosen.
    fn leave(&mut self, left: MethodConfig) {
        self.left_methods.retain(|m| m.info().name != left.info().name);
        self.left_methods.push(left);
    }

    /// Trains a method together with the chosen one, or no longer.
    pub(super) fn combine(&mut self, name: &str) -> Vec<Effect> {
        let mut config = RunConfig { lr: None, ..self.config.clone() };
        match config.also.iter().position(|m| m.info().name == name) {
            Some(place) => {
                let left = config.also.remove(place);
                self.leave(left);
            }
            None => match self.method_named(name) {
                Some(method) => config.also.push(method),
                None => return Vec::new(),
            },
        }
        match config.check() {
            Ok(()) => {
                self.drafts.clear();
                self.adopt(config)
            }
            Err(fault) => {
                self.fault(fault.message, None);
                Vec::new()
            }
        }
    }

    pub(super) fn choose_base(&mut self, id: &str) -> Vec<Effect> {
        match Base::named(id) {
            Some(base) => self.move_to(self.config.on_base(base)),
            None => Vec::new(),
        }
    }

    fn choose_task(&mut self, name: &str) -> Vec<Effect> {
        if name == self.config.task.name() {
            return Vec::new();
        }
        let latest = self.bring.data.last().cloned().map(|data| TaskConfig::UserData { data, examples: None });
        let task = if name == "own" { latest } else { TaskConfig::named(name) };
        task.map_or_else(Vec::new, |task| self.turn_to(task))
    }

    fn choose_data(&mut self, name: &str) -> Vec<Effect> {
        let data = self.bring.data.iter().find(|d| d.name == name).cloned();
        data.map_or_else(Vec::new, |data| self.turn_to(TaskConfig::UserData { data, examples: None }))
    }

    /// To another task, on a base that reads it.
    pub(super) fn turn_to(&mut self, task: TaskConfig) -> Vec<Effect> {
        self.move_to(self.config.on_task(task))
    }

    /// To another base or task. What gave way for it is told; where nothing fits, the page stays as it is.
    fn move_to(&mut self, settled: Result<Settled, Fault>) -> Vec<Effect> {
        match settled {
            Ok(Settled { config, changes }) => {
                self.drafts.clear();
                if !changes.is_empty() {
                    self.say(NoticeTone::Info, changes.join(" "), None);
                }
                self.adopt(config)
            }
            Err(fault) => {
                self.fault(fault.message, None);
                Vec::new()
            }
        }
    }

    /// Reads a hash that came from outside: an address opened or edited. Its faults become notices.
    pub(super) fn read_hash(&mut self, hash: &str) -> Vec<Effect> {
        let (mut config, faults, rest) = RunConfig::from_hash(hash);
        self.drafts.clear();
        self.keeping.hash = hash.to_string();
        let lacks_data = self.lacks_own_data(&config);
        if lacks_data {
            let text = format!(
                "This address is for data of your own (“{}”), which stays with its owner: bring the file, and the page turns to it.",
                config.task.title()
            );
            self.fault(text, Some(Remedy::Bring));
            let shipped = RunConfig { method: config.method.clone(), ..RunConfig::default() };
            self.bring.wanted = Some(std::mem::replace(&mut config, shipped));
            if config.check().is_err() {
                config = RunConfig::default();
            }
        }
        let absent = own_base_in(hash).filter(|id| Base::named(id).is_none());
        for fault in faults {
            let remedy = (fault.key == "base" && absent.is_some()).then_some(Remedy::Bring);
            self.fault(fault.message, remedy);
        }
        self.bring.wanted_base = absent.map(|id| (id.to_string(), hash.to_string()));
        let value = |key: &str| rest.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        // Names of sections are plain words: anything else would have to be escaped when it is written back.
        let is_word = |s: &&str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        self.hidden = value("hide").unwrap_or_default().split(',').filter(is_word).map(String::from).collect();
        let unknown: Vec<&str> =
            rest.iter().map(|(k, _)| k.as_str()).filter(|k| !["run", "hide"].contains(k)).collect();
        if !unknown.is_empty() {
            let keys = shorten(&unknown.join(", "));
            self.fault(format!("The address sets “{keys}”, which this page or this method does not know."), None);
        }
        // What it asks for must be there.
        let start = value("run") == Some("1") && !lacks_data && self.bring.wanted_base.is_none();
        let mut effects = self.adopt(config);
        // The address stays as it was opened, `run=1` included: a slide that reloads starts again.
        effects.retain(|e| !matches!(e, Effect::ReplaceHash(_)));
        effects.extend(self.load_what_is_shown());
        if start && self.waits_for_base(self.config.base) && self.bytes_of(self.config.base).is_some() {
            // A link fetches nothing that large by itself: it begins where the browser has the base.
            self.begins_if_here = Some(self.config.clone());
        } else if start {
            effects.extend(self.start(self.config.clone(), false, None));
        }
        effects
    }

    /// The configuration as the address holds it.
    pub fn hash(&self) -> String {
        let hide = if self.hidden.is_empty() { String::new() } else { format!("&hide={}", self.hidden.join(",")) };
        format!("{}{hide}", self.config.to_hash())
    }

    /// Whether the address hides a section of the page.
    pub fn hides(&self, section: &str) -> bool {
        self.hidden.iter().any(|h| h == section)
    }
}

/// The id of a visitor's base that an address names.
fn own_base_in(hash: &str) -> Option<&str> {
    let mut pairs = hash.trim_start_matches('#').split('&');
    pairs.find_map(|pair| pair.strip_prefix("base=")).filter(|id| id.starts_with(OwnBase::PREFIX))
}

/// What a control of this key shows.
pub fn text_of(config: &RunConfig, drafts: &Drafts, key: &str) -> String {
    drafts.get(key).map_or_else(|| config.text(key), |d| d.text.clone())
}
