//! What is said before the browser's store is full, and the oldest runs, which go first.

use crate::base::grouped;
use crate::ui::state::{Ask, Effect, NoticeTone, Remedy, Run, State};
use std::rc::Rc;

/// Bytes that a run's curve takes, about.
const CURVE: u64 = 50_000;

impl State {
    /// Kept runs that would go, the oldest first: as many as give back so many bytes. The latest stays.
    fn oldest(&self, bytes: u64) -> Vec<&Run> {
        let mut freed = 0;
        let kept: Vec<&Run> = self.runs.iter().filter(|run| run.kept > 0 && run.is_removable()).collect();
        let all_but_one = kept.len().saturating_sub(usize::from(self.active().is_none()));
        let enough = |run: &&Run| {
            let goes = freed < bytes;
            freed += run.kept + CURVE;
            goes
        };
        kept.into_iter().take(all_but_one).take_while(enough).collect()
    }

    pub(super) fn say_that_it_fills(&mut self, used: f64, of: f64) -> Vec<Effect> {
        let text = format!("This browser gives the page {}, and {} of it are used.", megabytes(of), megabytes(used));
        self.offer_room(text, (used - 0.5 * of) as u64)
    }

    pub(super) fn say_that_it_is_full(&mut self) -> Vec<Effect> {
        let kept: u64 = self.runs.iter().map(|run| run.kept).sum();
        let text = "This browser has no more room for this page: the latest steps are on the page alone.".into();
        self.offer_room(text, kept / 2)
    }

    fn offer_room(&mut self, text: String, bytes: u64) -> Vec<Effect> {
        // The same offer stands until it is taken or dismissed.
        if self.notices.iter().any(|notice| matches!(notice.remedy, Some(Remedy::MakeRoom(_)))) {
            return Vec::new();
        }
        let oldest = self.oldest(bytes);
        let (n, labels) = (oldest.len(), oldest.iter().take(3).map(|run| run.label()).collect::<Vec<_>>().join(", "));
        if n == 0 {
            return self.say(NoticeTone::Fault, format!("{text} Save the runs as files."), None);
        }
        let more = if n > 3 { ", …" } else { "" };
        let what = if n == 1 { "the oldest run".into() } else { format!("the {} oldest runs", grouped(n)) };
        let text = format!("{text} To make room, {what} ({labels}{more}) can go; that cannot be undone.");
        self.say(NoticeTone::Fault, text, Some(Remedy::MakeRoom(n)))
    }

    /// The visitor has agreed: the `n` oldest runs go.
    pub(super) fn make_room(&mut self, n: usize) -> Vec<Effect> {
        let ids: Vec<u32> = self.oldest(u64::MAX).iter().take(n).map(|run| run.id).collect();
        let keys: Vec<Rc<str>> = self.runs.iter().filter(|r| ids.contains(&r.id)).map(|run| self.key_of(run)).collect();
        let mut effects: Vec<Effect> = self.forget(&ids);
        self.runs.retain(|run| !ids.contains(&run.id));
        effects.push(Effect::Store(Ask::Erase(keys)));
        effects.extend(self.forget_unused_own(""));
        effects
    }
}

pub(super) fn megabytes(bytes: f64) -> String {
    match bytes {
        b if b < 1e7 => format!("{:.1} MB", b / 1e6),
        b if b < 1e9 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}
