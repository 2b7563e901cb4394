//! The one grammar of a run: where a link is parsed and written, and with it flags and JSON.

use super::RunConfig;
use super::key::{Key, no_such};
use super::keys::{KEYS, METHOD};
use super::wording::default_steps;
use crate::base::Fault;
use crate::bases::{BASES, Base, OwnBase};
use crate::peft::MethodConfig;
use crate::task::TaskConfig;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::collections::BTreeMap;

/// What has a meaning in a URL's hash, and so is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b',').remove(b'~');

impl RunConfig {
    /// Reads a URL's hash (`#base=rules&method=lora&rank=8`).
    pub fn from_hash(hash: &str) -> (RunConfig, Vec<Fault>, Vec<(String, String)>) {
        let parts = hash.trim_start_matches('#').split('&').filter(|part| !part.is_empty());
        let pairs: Vec<(String, String)> = parts
            .map(|part| {
                let (key, value) = part.split_once('=').unwrap_or((part, ""));
                (decode(key), decode(value))
            })
            .collect();
        RunConfig::from_pairs(&pairs)
    }

    /// The hash that [`from_hash`](Self::from_hash) reads back, without its `#`.
    pub fn to_hash(&self) -> String {
        self.pairs().iter().map(|(k, v)| format!("{k}={}", encode(v))).collect::<Vec<_>>().join("&")
    }

    /// Reads pairs in any order. A value that cannot be used leaves its default and gives a [`Fault`]; keys
    /// this grammar does not know come back as they are (the page keeps `run` and `hide` there).
    pub fn from_pairs(pairs: &[(String, String)]) -> (RunConfig, Vec<Fault>, Vec<(String, String)>) {
        let mut config = RunConfig::default();
        let mut faults = config.read_leading(pairs);
        let mut unknown = Vec::new();
        for (key, text) in pairs {
            match config.set(key, text) {
                Some(result) => faults.extend(result.err()),
                None => unknown.push((key.clone(), text.clone())),
            }
        }
        faults.extend(config.fall_back());
        (config, faults, unknown)
    }

    /// Key and value pairs, in a fixed order; what is at its default is left out but for base, task and
    /// method.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for key in KEYS {
            pairs.extend(key.get(self).map(|value| (key.name.to_string(), value)));
            if key.name == METHOD.name {
                pairs.extend(self.knob_pairs());
            }
        }
        pairs
    }

    /// The text that a control of this key shows; empty for a key that this run does not have.
    pub fn text(&self, key: &str) -> String {
        Key::named(key).map(|k| k.text(self)).or_else(|| self.knob(key)).unwrap_or_default()
    }

    /// The same run with some keys set from text, or the first fault. An empty text takes an optional key
    /// back to its default. Base, task and methods stay, and keys that they do not have are passed over.
    pub fn with(&self, wanted: &[(&str, &str)]) -> Result<RunConfig, Fault> {
        let mut config = self.clone();
        config.method = config.method.canonical();
        config.also = config.also.iter().map(MethodConfig::canonical).collect();
        for (key, text) in wanted {
            if !(text.trim().is_empty() && config.clear(key)) {
                config.set(key, text).unwrap_or(Ok(()))?;
            }
        }
        config.check()?;
        Ok(config)
    }

    /// Sets a key from text; `None` for a key that this run does not have.
    fn set(&mut self, key: &str, text: &str) -> Option<Result<(), Fault>> {
        if let Some(knob) = self.knob_formerly(key, text) {
            return self.set_knob(&knob, text);
        }
        match Key::named(key) {
            Some(key) => Some(key.set(self, text)),
            None => self.set_knob(key, text),
        }
    }

    /// Takes a key back to its default where an emptied control may; else `false`.
    fn clear(&mut self, key: &str) -> bool {
        match Key::named(key) {
            Some(key) => key.clear(self),
            None => self.clear_knob(key),
        }
    }

    /// Reads task, base and methods, which decide what the other keys mean.
    fn read_leading(&mut self, pairs: &[(String, String)]) -> Vec<Fault> {
        let find = |key: &str| pairs.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        let mut faults = Vec::new();
        let task = find("task");
        if let Some(name) = task {
            match TaskConfig::named(name) {
                Some(task) => self.task = task,
                None => faults.push(no_such("task", name, &TaskConfig::NAMES)),
            }
        }
        self.base = Base::named(self.task.bases()[0]).unwrap_or(self.base);
        match find("base").map(base) {
            Some(Ok(base)) => {
                self.base = base;
                // A base alone chooses the task that it reads.
                if task.is_none()
                    && let Some(task) =
                        TaskConfig::NAMES.iter().filter_map(|n| TaskConfig::named(n)).find(|t| t.is_read_by(base))
                {
                    self.task = task;
                }
            }
            Some(Err(fault)) => faults.push(fault),
            None => {}
        }
        self.steps = default_steps(self.base);
        let mut methods = Vec::new();
        for name in find("method").into_iter().flat_map(|list| list.split(',')).take(MethodConfig::all().len()) {
            match MethodConfig::named(name.trim()) {
                Some(method) => methods.push(method),
                None => {
                    let names: Vec<&str> = MethodConfig::all().iter().map(|m| m.info().name).collect();
                    faults.push(no_such("method", name, &names));
                }
            }
        }
        if !methods.is_empty() {
            self.method = methods.remove(0);
            self.also = methods;
        }
        faults
    }
}

/// The base of an id.
fn base(id: &str) -> Result<&'static Base, Fault> {
    Base::named(id).ok_or_else(|| match id.starts_with(OwnBase::PREFIX) {
        true => Fault::new("base", Base::absent(id)),
        false => no_such("base", id, &BASES.each_ref().map(|b| b.id)),
    })
}

/// A pair of JSON alone, on bases that know words: what the configuration leaves out is what suits those. One without it
/// was written before there were words.
const DEFAULTS: (&str, &str) = ("defaults", "words");

impl From<RunConfig> for BTreeMap<String, String> {
    fn from(config: RunConfig) -> Self {
        let (key, value) = DEFAULTS;
        let of_words = config.base.knows_words().then(|| (key.to_string(), value.to_string()));
        config.pairs().into_iter().chain(of_words).collect()
    }
}

impl TryFrom<BTreeMap<String, String>> for RunConfig {
    type Error = Fault;

    fn try_from(map: BTreeMap<String, String>) -> Result<Self, Fault> {
        let is_earlier = map.get(DEFAULTS.0).is_none_or(|value| value != DEFAULTS.1);
        let (mut config, faults, _) = RunConfig::from_pairs(&map.into_iter().collect::<Vec<_>>());
        if is_earlier && config.base.knows_words() {
            config.as_before_words();
        }
        match faults.into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(config),
        }
    }
}

/// Percent-decodes a part of a URL, `+` as a blank; broken escapes stay as they are, broken UTF-8 becomes
/// `�`.
fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Percent-encodes what has a meaning in a URL's hash.
fn encode(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}
