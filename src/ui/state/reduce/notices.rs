//! What the page says, and what it says no longer.

use crate::ui::state::{Effect, Notice, NoticeTone, Remedy, State};

impl State {
    pub(super) fn dismiss(&mut self, id: u32) -> Vec<Effect> {
        self.notices.retain(|n| n.id != id);
        self.end_undo(id)
    }

    pub(super) fn fault(&mut self, text: String, remedy: Option<Remedy>) {
        self.say(NoticeTone::Fault, text, remedy);
    }

    /// Adds a notice, once: the same sentence a second time takes the place of the first.
    pub(super) fn say(&mut self, tone: NoticeTone, text: String, remedy: Option<Remedy>) -> Vec<Effect> {
        self.notices.retain(|n| n.text != text);
        self.notices.push(Notice { id: self.next_notice, tone, text, remedy });
        self.next_notice += 1;
        Vec::new()
    }
}
