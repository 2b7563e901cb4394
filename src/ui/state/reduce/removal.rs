//! Runs that are taken off the page, and come back.

use crate::protocol::Command;
use crate::ui::state::parts::Removed;
use crate::ui::state::{Ask, Effect, NoticeTone, Phase, Remedy, Run, State};

/// How many removals can be undone; the oldest are final.
const UNDONE: usize = 5;

impl Run {
    /// Whether it can be taken off the page.
    pub fn is_removable(&self) -> bool {
        !self.recorded && !self.phase.is_active() && self.phase != Phase::Elsewhere
    }
}

impl State {
    /// Live runs of the present task that can be taken off the page; those of other tasks where `elsewhere`.
    pub fn removable(&self, elsewhere: bool) -> Vec<u32> {
        let here = |run: &Run| run.config.task.same_questions(&self.config.task);
        self.runs.iter().filter(|run| run.is_removable() && here(run) != elsewhere).map(|run| run.id).collect()
    }

    /// Takes runs off the page. A notice says so, and brings them back.
    pub(super) fn remove(&mut self, ids: &[u32]) -> Vec<Effect> {
        let goes = |run: &Run| ids.contains(&run.id) && run.is_removable();
        let mut runs: Vec<(usize, Run)> = Vec::new();
        for (place, run) in std::mem::take(&mut self.runs).into_iter().enumerate() {
            match goes(&run) {
                true => runs.push((place, run)),
                false => self.runs.push(run),
            }
        }
        let Some((_, first)) = runs.first() else { return Vec::new() };
        let text = match runs.len() {
            1 => format!("{} is off the page.", first.label()),
            n => format!("{n} runs are off the page."),
        };
        let keys = runs.iter().map(|(_, run)| self.key_of(run)).collect();
        let notice = self.next_notice;
        // Two of one name may go one after the other: each has a notice of its own.
        self.next_notice += 1;
        self.notices.push(crate::ui::state::Notice {
            id: notice,
            tone: NoticeTone::Info,
            text,
            remedy: Some(Remedy::Undo),
        });
        self.keeping.removed.push(Removed { notice, runs });
        let mut effects = if self.keeps() { vec![Effect::Store(Ask::Remove(keys))] } else { Vec::new() };
        while self.keeping.removed.len() > UNDONE {
            let oldest = self.keeping.removed[0].notice;
            effects.extend(self.dismiss(oldest));
        }
        effects
    }

    /// Brings back what a notice tells of; without one what was removed last.
    pub(super) fn undo(&mut self, notice: Option<u32>) -> Vec<Effect> {
        let removed = &mut self.keeping.removed;
        let place = match notice {
            Some(notice) => removed.iter().position(|removed| removed.notice == notice),
            None => removed.len().checked_sub(1),
        };
        let Some(Removed { notice, runs }) = place.map(|place| removed.remove(place)) else { return Vec::new() };
        self.notices.retain(|n| n.id != notice);
        let back = runs.iter().map(|(_, run)| (self.key_of(run), self.head_of(run, run.kept))).collect();
        for (place, run) in runs {
            self.runs.insert(place.min(self.runs.len()), run);
        }
        if self.keeps() { vec![Effect::Store(Ask::Back(back))] } else { Vec::new() }
    }

    /// Nobody can bring back what a notice tells of once it is off the page.
    pub(super) fn end_undo(&mut self, notice: u32) -> Vec<Effect> {
        let place = self.keeping.removed.iter().position(|removed| removed.notice == notice);
        let Some(removed) = place.map(|place| self.keeping.removed.remove(place)) else { return Vec::new() };
        let keys = removed.runs.iter().map(|(_, run)| self.key_of(run)).collect();
        let held = removed.runs.iter().filter_map(|(_, run)| Some((run.trainer?, run.id)));
        let forget = held.map(|(trainer, run)| Effect::Send(trainer, Command::Forget { run }));
        let mut effects: Vec<Effect> = forget.collect();
        if self.keeps() {
            effects.push(Effect::Store(Ask::Erase(keys)));
            effects.extend(self.forget_unused_own(""));
        }
        effects
    }

    /// The trainers let go of runs.
    pub(super) fn forget(&self, ids: &[u32]) -> Vec<Effect> {
        let held = self.runs.iter().filter(|r| ids.contains(&r.id)).filter_map(|run| Some((run.trainer?, run.id)));
        held.map(|(trainer, run)| Effect::Send(trainer, Command::Forget { run })).collect()
    }
}
