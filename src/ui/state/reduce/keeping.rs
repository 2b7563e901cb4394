//! What the browser keeps: written while runs go on, read when the page opens.

use crate::base::grouped;
use crate::ledger::RealModel;
use crate::peft::MethodConfig;
use crate::protocol::{Command, Event};
use crate::ui::state::parts::{Kept, SCHEMA, Shown};
use crate::ui::state::{
    Ask, Effect, File, Head, NoticeTone, OwnKept, Phase, Record, Remedy, Run, Said, State, Tab, Trainer,
};
use std::rc::Rc;

impl State {
    /// Gives the tab its name: a name that no other has, and that sorts by when the tab was opened.
    pub fn name_tab(&mut self, name: &str) {
        self.keeping.tab = name.into();
        self.wait_with_what_is_lacking();
    }

    /// The key of a run in the store: a run that was read from there has its own.
    pub(super) fn key_of(&self, run: &Run) -> Rc<str> {
        run.key.clone().unwrap_or_else(|| format!("{}-{:06}", self.keeping.tab, run.id).into())
    }

    pub(super) fn head_of(&self, run: &Run, bytes: u64) -> Head {
        let (tab, live) = (self.keeping.tab.to_string(), run.phase.is_active());
        Head { schema: SCHEMA, tab, queued: run.queued, removed: false, live, bytes }
    }

    /// Whether the store takes anything.
    pub(super) fn keeps(&self) -> bool {
        self.keeping.nothing.is_none()
    }

    /// An event of a run, before it is taken in: what of it is kept.
    pub(super) fn keep_event(&self, event: &Event) -> Vec<Effect> {
        let Some(run) = event.run().and_then(|id| self.runs.iter().find(|r| r.id == id)).filter(|_| self.keeps())
        else {
            return Vec::new();
        };
        let key = self.key_of(run);
        let mut effects = Vec::new();
        match event {
            Event::Started { .. } => {
                effects.push(Ask::Begin { key: key.clone(), head: self.head_of(run, 0), goes_on: false });
            }
            Event::Resumed { .. } => {
                effects.push(Ask::Begin { key: key.clone(), head: self.head_of(run, run.kept), goes_on: true });
            }
            Event::Failed { reason, .. } if !run.is_only_asked(*reason) => {}
            Event::Step { .. } | Event::Evaluated { .. } | Event::Examples { .. } => {}
            Event::Stopped { .. } | Event::Finished { .. } => {}
            _ => return Vec::new(),
        }
        if let Ok(line) = serde_json::to_string(event) {
            effects.push(Ask::Lines { key: key.clone(), text: line + "\n" });
        }
        if matches!(event, Event::Failed { .. } | Event::Stopped { .. } | Event::Finished { .. }) {
            effects.push(Ask::Rest(key));
        }
        effects.into_iter().map(Effect::Store).collect()
    }

    /// A run as its trainer holds it. It may be off the page meanwhile, and come back.
    pub(super) fn keep_whole(&mut self, id: u32, text: String, tensors: Vec<u8>) -> Vec<Effect> {
        if !self.keeps() {
            return Vec::new();
        }
        let off = self.keeping.removed.iter_mut().flat_map(|removed| &mut removed.runs).map(|(_, run)| run);
        let Some(run) = self.runs.iter_mut().chain(off).find(|run| run.id == id) else { return Vec::new() };
        run.kept = tensors.len() as u64;
        let run = run.clone();
        let (key, head) = (self.key_of(&run), self.head_of(&run, run.kept));
        vec![Effect::Store(Ask::Whole { key, head, text, tensors: Rc::new(tensors) })]
    }

    /// A run from a file of the visitor's.
    pub(super) fn keep_opened(&mut self, id: u32, text: String, tensors: Option<Vec<u8>>) -> Vec<Effect> {
        if !self.keeps() {
            return Vec::new();
        }
        if let Some(tensors) = tensors {
            return self.keep_whole(id, text, tensors);
        }
        let Some(run) = self.runs.iter().find(|r| r.id == id) else { return Vec::new() };
        let (key, head) = (self.key_of(run), self.head_of(run, 0));
        let begin = Ask::Begin { key: key.clone(), head, goes_on: false };
        vec![Effect::Store(begin), Effect::Store(Ask::Lines { key, text })]
    }

    /// Gives the visitor what could not be read, as it is.
    pub(super) fn save_aside(&self) -> Vec<Effect> {
        let file = |(key, text): &(Rc<str>, String)| File::new(format!("{key}.txt"), text.clone().into_bytes());
        vec![Effect::Download(self.keeping.aside.iter().map(file).collect())]
    }

    pub(super) fn store_said(&mut self, said: Said) -> Vec<Effect> {
        match said {
            Said::Listed { records, own, page, tabs } => {
                self.keeping.others = !tabs.is_empty();
                let mut effects = self.own_is_back(own);
                effects.extend(self.listed(&records, page.as_deref(), &tabs));
                self.say_what_is_lacking();
                effects
            }
            Said::Changed { records, own, gone, tabs } => {
                self.keeping.others = !tabs.is_empty();
                self.take_off(&gone);
                // What is in use here is kept again.
                self.keeping.own.retain(|own| own.kept != OwnKept::Kept || gone.iter().all(|id| **id != *own.id));
                let mut effects = self.own_is_back(own);
                // What came with it could not be read before.
                let reads_again = !effects.is_empty();
                effects.extend(self.take_in(&records, &tabs));
                effects.extend(reads_again.then_some(Effect::Store(Ask::List)));
                effects
            }
            Said::OwnKept { id, bytes, kept } => self.own_kept(&id, bytes, kept),
            Said::Claimed { run, granted } => self.claimed(run, granted),
            Said::Recalled { run, text, tensors } => self.recalled(run, &text, tensors),
            Said::Nothing(why) => {
                self.keeping.nothing = Some(why);
                self.say_what_is_lacking();
                // A run that began before is told of now.
                if self.runs.is_empty() { Vec::new() } else { self.say_that_nothing_is_kept() }
            }
            Said::Full => self.say_that_it_is_full(),
            Said::Room { used, of } if used > 0.8 * of && of > 0.0 => self.say_that_it_fills(used, of),
            Said::Room { .. } => Vec::new(),
        }
    }

    fn listed(&mut self, records: &[Record], page: Option<&str>, tabs: &[String]) -> Vec<Effect> {
        let first = !std::mem::replace(&mut self.keeping.open, true);
        // What was taken off the page in a tab that is gone cannot be brought back: nobody can press Undo.
        let is_over = |record: &&Record| {
            let head: Option<Head> = serde_json::from_str(&record.head).ok();
            let is_nobodys = |head: &Head| !tabs.contains(&head.tab) && *head.tab != *self.keeping.tab;
            head.is_some_and(|head| (head.removed || has_not_begun(record)) && is_nobodys(&head))
        };
        let over: Vec<Rc<str>> = records.iter().filter(is_over).map(|record| record.key.clone()).collect();
        let mut effects = Vec::new();
        if !over.is_empty() {
            effects.push(Effect::Store(Ask::Erase(over)));
        }
        effects.extend(self.take_in(records, tabs));
        let keep = Command::Keep { on: true };
        let ready = [Trainer::Cpu, Trainer::Gpu].into_iter().filter(|t| self.worker(*t).is_ready());
        effects.extend(ready.map(|trainer| Effect::Send(trainer, keep.clone())));
        if first {
            effects.extend(page.map(|page| self.show_as_kept(page)).unwrap_or_default());
            self.tell_of_what_was_cut_off();
            effects.extend(self.forget_unused_own(page.unwrap_or_default()));
        }
        effects
    }

    /// Takes runs from the store onto the page, or as another tab has changed them.
    fn take_in(&mut self, records: &[Record], tabs: &[String]) -> Vec<Effect> {
        let mut unread = Vec::new();
        let mut effects = Vec::new();
        for record in records {
            let known = self.runs.iter().position(|run| self.key_of(run) == record.key);
            if let Some(run) = known.map(|place| &self.runs[place]).filter(|run| run.phase.is_active()) {
                // It is this tab's own. A tab that slept may find that another one has gone on with it.
                let head = serde_json::from_str::<Head>(&record.head);
                let is_taken = |head: Head| head.live && *head.tab != *self.keeping.tab;
                let goes_on_here = self.keeping.going_on == Some(run.id);
                if head.is_ok_and(is_taken) && !goes_on_here {
                    let text = format!("{} goes on in another tab: here it was stopped.", run.label());
                    effects.extend(self.stop_active());
                    self.say(NoticeTone::Info, text, None);
                }
                continue;
            }
            // What was just removed here, or brought back, was read before that was written.
            if self.keeping.removed.iter().flat_map(|r| &r.runs).any(|(_, run)| self.key_of(run) == record.key) {
                continue;
            }
            if has_not_begun(record) {
                continue;
            }
            let Kept { head, file } = match record.read() {
                Ok(kept) => kept,
                Err(why) => {
                    if self.keeping.aside.iter().all(|(key, _)| *key != record.key) {
                        let text = format!("{}\n{}", record.head, record.text);
                        self.keeping.aside.push((record.key.clone(), text));
                        unread.push(why);
                    }
                    continue;
                }
            };
            if head.removed {
                if *head.tab != *self.keeping.tab {
                    self.take_off(std::slice::from_ref(&record.key));
                }
                continue;
            }
            let mut run = Run::from_file(known.map_or(self.next_run, |place| self.runs[place].id), &file);
            (run.key, run.kept, run.queued) = (Some(record.key.clone()), head.bytes, head.queued);
            let ended = file.events.iter().rev().find(|e| e.step().is_none());
            let ended = matches!(ended, Some(Event::Stopped { .. } | Event::Finished { .. } | Event::Failed { .. }));
            if (head.live || !ended) && tabs.contains(&head.tab) && *head.tab != *self.keeping.tab {
                run.phase = Phase::Elsewhere;
            }
            match known {
                // What a trainer of this tab holds is the same run, unless another tab has gone on with it.
                Some(place) => {
                    let before = &self.runs[place];
                    run.trainer = before.trainer.filter(|_| before.step == run.step);
                    self.runs[place] = run;
                }
                None => {
                    self.next_run += 1;
                    let place = self.runs.iter().position(|other| self.key_of(other) > record.key);
                    self.runs.insert(place.unwrap_or(self.runs.len()), run);
                }
            }
        }
        if let Some(why) = unread.first() {
            let text = match unread.len() {
                1 => format!("A run that this browser keeps cannot be read: {why}. It stays where it is, left aside."),
                n => format!(
                    "{n} runs that this browser keeps cannot be read; of the first, {why}. They stay where they are, left aside."
                ),
            };
            self.say(NoticeTone::Fault, text, Some(Remedy::SaveAside));
        }
        effects
    }

    /// Takes runs off the page that another tab has removed.
    fn take_off(&mut self, keys: &[Rc<str>]) {
        let gone: Vec<u32> = self.runs.iter().filter(|r| keys.contains(&self.key_of(r))).map(|r| r.id).collect();
        self.runs.retain(|run| run.phase.is_active() || !gone.contains(&run.id));
    }

    /// Turns to what the page showed, where its address says nothing else.
    fn show_as_kept(&mut self, page: &str) -> Vec<Effect> {
        // What cannot be read is as good as none: the page opens as it always did.
        let Ok(shown) = serde_json::from_str::<Shown>(page) else { return Vec::new() };
        if shown.schema != SCHEMA {
            return Vec::new();
        }
        self.keeping.page = page.to_string();
        self.tab = Tab::ALL.into_iter().find(|tab| tab.name() == shown.tab).unwrap_or_default();
        if MethodConfig::named(&shown.against).is_some() {
            self.costs.against = shown.against;
        }
        self.costs.model = shown.model.as_deref().and_then(RealModel::named);
        let key = |run: &&Run| shown.looked_at.as_deref() == Some(&*self.key_of(run));
        self.looked_at = self.runs.iter().find(key).map(|run| run.id).or(self.looked_at);
        if self.keeping.bare && self.active().is_none() && !shown.hash.is_empty() {
            return self.read_hash(&format!("#{}", shown.hash));
        }
        Vec::new()
    }

    /// After every action: what the page shows is kept where it has changed.
    pub(super) fn keep_what_is_shown(&mut self) -> Option<Effect> {
        if !self.keeping.open || !self.keeps() {
            return None;
        }
        let chosen = self.looked_at.and_then(|id| self.runs.iter().find(|r| r.id == id));
        let shown = Shown {
            schema: SCHEMA,
            hash: self.hash(),
            looked_at: chosen.map(|run| self.key_of(run).to_string()),
            tab: self.tab.name().into(),
            against: self.costs.against.clone(),
            model: self.costs.model.map(|model| model.id.to_string()),
        };
        let page = serde_json::to_string(&shown).ok().filter(|page| *page != self.keeping.page)?;
        self.keeping.page.clone_from(&page);
        Some(Effect::Store(Ask::Page(page)))
    }

    /// The latest run that ended without a word when its tab did.
    fn tell_of_what_was_cut_off(&mut self) {
        let Some(run) = self.runs.iter().rev().find(|run| run.is_unfinished() && !run.was_stopped) else { return };
        let text = format!(
            "{} was cut off at step {} of {}: it can go on.",
            run.label(),
            grouped(run.step),
            grouped(run.steps)
        );
        let remedy = Remedy::GoOn(run.id);
        self.say(NoticeTone::Info, text, Some(remedy));
    }

    /// Said once, when there is something to lose.
    pub(super) fn say_that_nothing_is_kept(&mut self) -> Vec<Effect> {
        let Some(why) = self.keeping.nothing.as_mut().map(std::mem::take).filter(|why| !why.is_empty()) else {
            return Vec::new();
        };
        let text = format!(
            "This browser keeps nothing for this page ({why}): runs last until the page is closed. “Save run” keeps one as a file, “Save all” all of them."
        );
        self.say(NoticeTone::Info, text, None)
    }
}

/// Whether a tab was closed before it wrote a run's first lines: nothing was measured, and nothing is lost.
fn has_not_begun(record: &Record) -> bool {
    let is_ours = |head: Head| head.schema == SCHEMA;
    record.text.trim().is_empty() && serde_json::from_str(&record.head).is_ok_and(is_ours)
}
