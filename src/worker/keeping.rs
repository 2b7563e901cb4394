//! What a run leaves with whoever keeps it, and runs that go on.

use super::backend::Backend;
use super::browser::{hardware, now};
use super::data_parallel::wanted;
use super::post::post;
use super::trainer::Trainer;
use crate::base::Failure;
use crate::protocol::Event;
use crate::train::micro_batch::Helpers;
use std::rc::Rc;

impl Trainer {
    /// Gives the page the run as it stands, where it is time for that or the run is at its end.
    pub(super) async fn snapshot_if_due(&mut self) {
        if self.snapshots.on && self.session.as_ref().is_some_and(|s| s.done() || self.snapshots.are_due()) {
            self.snapshot().await;
        }
    }

    /// Gives the page the run as it stands, where anybody keeps it.
    pub(super) async fn snapshot(&mut self) {
        let Some(session) = self.session.as_mut().filter(|_| self.snapshots.on) else { return };
        let start = now();
        match session.snapshot(hardware()).await {
            Ok(events) => events.iter().for_each(post),
            Err(failure) => return self.fail(failure),
        }
        self.snapshots.taken_since(start);
    }

    /// Goes on with a run that is held, in place of the one under way.
    pub(super) async fn go_on(&mut self, run: u32) -> Result<(), Failure> {
        self.held(run)?;
        if self.session.as_ref().is_none_or(|session| session.run() != run) {
            self.shelve();
            let place = self.shelf.iter().position(|session| session.run() == run);
            self.session = place.and_then(|place| self.shelf.remove(place));
        }
        (self.expected, self.warming, self.spread, self.run) = (None, None, None, run);
        let Some(session) = &mut self.session else { return Ok(()) };
        let workers = if self.backend == Backend::Cpu { wanted(session.config()) } else { 1 };
        self.helpers.resize(workers - 1);
        session.help((workers > 1).then(|| self.helpers.clone() as Rc<dyn Helpers>));
        session.go_on().await?;
        self.running = !session.done();
        self.snapshots.begin();
        self.tell(|run, step| Event::Resumed { run, step });
        Ok(())
    }
}
