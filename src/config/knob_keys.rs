//! Keys of the methods' knobs: a knob's name, with its method's in front where an earlier method has it too.

use super::RunConfig;
use crate::base::Fault;
use crate::peft::{Knob, MethodConfig};
use std::collections::BTreeMap;
use std::sync::OnceLock;

impl RunConfig {
    /// The key that names a knob of one of the methods: with the method's name in front where an earlier one
    /// has it too.
    pub fn key_of(&self, method: &MethodConfig, knob: &str) -> String {
        let has = |m: &&MethodConfig| m.info().knobs.iter().any(|k| k.name == knob);
        match self.methods().find(has) {
            Some(first) if first.info().name != method.info().name => format!("{}.{knob}", method.info().name),
            _ => knob.to_string(),
        }
    }

    /// [`key_of`](Self::key_of) as a name that lasts: there are as many as methods times knobs.
    pub fn static_key(&self, method: &MethodConfig, knob: &'static str) -> &'static str {
        static KEYS: OnceLock<BTreeMap<(&str, &str), String>> = OnceLock::new();
        let key = self.key_of(method, knob);
        if key == knob {
            return knob;
        }
        let all = || {
            let knobs = |m: &MethodConfig| {
                let name = m.info().name;
                m.info().knobs.iter().map(move |k| ((name, k.name), format!("{name}.{}", k.name)))
            };
            MethodConfig::all().iter().flat_map(knobs).collect()
        };
        KEYS.get_or_init(all).get(&(method.info().name, knob)).map_or(knob, String::as_str)
    }

    /// The method, by its place, and the knob that a key names.
    fn knob_of(&self, key: &str) -> Option<(usize, &'static Knob)> {
        let knob = |m: &MethodConfig, name: &str| m.info().knobs.iter().find(|k| k.name == name);
        match key.split_once('.') {
            Some((method, name)) => {
                let (i, m) = self.methods().enumerate().find(|(_, m)| m.info().name == method)?;
                Some((i, knob(m, name)?))
            }
            None => self.methods().enumerate().find_map(|(i, m)| Some((i, knob(m, key)?))),
        }
    }

    /// A knob's value as the address writes it, by its key; `None` for a key that is no knob of these
    /// methods.
    pub fn knob(&self, key: &str) -> Option<String> {
        let (i, knob) = self.knob_of(key)?;
        self.methods().nth(i)?.get(knob.name)
    }

    /// The key of a knob that was called `key` in earlier versions, where it takes this text.
    pub(super) fn knob_formerly(&self, key: &str, text: &str) -> Option<String> {
        let is = |knob: &&Knob| knob.formerly == Some(key) && knob.parse(text).is_ok();
        self.methods().find_map(|m| Some(self.key_of(m, m.info().knobs.iter().find(is)?.name)))
    }

    /// Sets a knob from text; `None` for a key that is no knob of these methods.
    pub(super) fn set_knob(&mut self, key: &str, text: &str) -> Option<Result<(), Fault>> {
        let (i, knob) = self.knob_of(key)?;
        Some(self.method_at(i).set(knob.name, text).map_err(|fault| Fault { key: key.to_string(), ..fault }))
    }

    /// Lets a knob that may be empty follow the others again; `false` where there is none of this key.
    pub(super) fn clear_knob(&mut self, key: &str) -> bool {
        match self.knob_of(key).filter(|(_, knob)| knob.optional) {
            Some((i, knob)) => {
                let method = self.method_at(i);
                *method = method.without(knob.name);
                true
            }
            None => false,
        }
    }

    /// Takes a knob back to its default; a key that is no knob's changes nothing.
    pub(super) fn reset_knob(&mut self, key: &str) {
        let Some((i, knob)) = self.knob_of(key) else { return };
        let plain = MethodConfig::named(self.method_at(i).info().name);
        match plain.and_then(|plain| plain.get(knob.name)) {
            Some(default) if !default.is_empty() => drop(self.method_at(i).set(knob.name, &default)),
            _ => drop(self.clear_knob(key)),
        }
    }

    /// The methods' knobs that are not at their defaults, by their keys.
    pub(super) fn knob_pairs(&self) -> Vec<(String, String)> {
        let of = |method| {
            let pair = move |(knob, value): (&Knob, _)| (self.key_of(method, knob.name), format!("{value}"));
            MethodConfig::chosen(method).into_iter().map(pair)
        };
        self.methods().flat_map(of).collect()
    }

    fn method_at(&mut self, place: usize) -> &mut MethodConfig {
        match place.checked_sub(1) {
            None => &mut self.method,
            Some(beside) => &mut self.also[beside],
        }
    }
}
