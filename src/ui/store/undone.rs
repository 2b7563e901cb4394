//! What was brought back last, noted where a write is done at once: of a tab that ends in the moment of Undo the browser
//! may take back a transaction that waits for another one, committed or not.

use super::records::{HEADS, bring_back, head_of, put_head};
use crate::ui::indexed_db::{Database, Failed};
use crate::ui::state::Head;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::Storage;

/// Notes of one database: a run's head each, as JSON under a key of local storage that ends with the run's.
pub struct Undone {
    prefix: String,
}

impl Undone {
    pub fn of(database: &str) -> Rc<Undone> {
        Rc::new(Undone { prefix: format!("{database}-undone/") })
    }

    /// Notes that runs are back. Where there is no such storage, nothing is noted.
    fn note(&self, heads: &[(Rc<str>, Head)]) {
        let Some(storage) = storage() else { return };
        for (key, head) in heads {
            // A storage that is full leaves the transaction alone to keep it.
            let _ = storage.set_item(&self.of_run(key), &serde_json::to_string(head).unwrap_or_default());
        }
    }

    /// Their transaction has ended, or they are removed once more.
    pub fn forget(&self, keys: &[Rc<str>]) {
        let Some(storage) = storage() else { return };
        for key in keys {
            let _ = storage.remove_item(&self.of_run(key));
        }
    }

    /// Marks runs as back on the page, within the visitor's own event: the next one may be the end of the tab. `written`
    /// hears of them once that is done.
    pub fn bring_back(
        self: &Rc<Self>,
        database: Result<&Database, Failed>,
        heads: Vec<(Rc<str>, Head)>,
        written: impl FnOnce(&[Rc<str>]) + 'static,
    ) {
        self.note(&heads);
        let begun = database.and_then(|database| bring_back(database, &heads));
        let (undone, keys) = (self.clone(), heads.into_iter().map(|(key, _)| key).collect::<Vec<_>>());
        spawn_local(async move {
            let ended = async { begun?.end().await };
            match ended.await {
                Ok(()) => {
                    undone.forget(&keys);
                    written(&keys);
                }
                Err(error) => gloo::console::warn!("the store did not answer:", error.value()),
            }
        });
    }

    /// Writes what a tab noted and did not live to write. A run that is no longer there stays away. Returns what could not
    /// be written, as where the disk is full: it is shown all the same.
    pub async fn write(&self, database: &Database) -> BTreeMap<String, Head> {
        match self.try_to_write(database).await {
            Ok(()) => BTreeMap::new(),
            Err(error) => {
                gloo::console::warn!("what was brought back could not be written:", error.value());
                self.noted()
            }
        }
    }

    async fn try_to_write(&self, database: &Database) -> Result<(), Failed> {
        let noted = self.noted();
        if noted.is_empty() {
            return Ok(());
        }
        let writing = database.transaction(&[HEADS], true)?;
        for (key, head) in &noted {
            if head_of(&writing, key).await?.is_some_and(|found| found.removed) {
                put_head(&writing, key, head)?;
            }
        }
        writing.end().await?;
        self.forget(&noted.keys().map(|key| Rc::from(key.as_str())).collect::<Vec<_>>());
        Ok(())
    }

    /// Heads by run. A note that another version wrote otherwise is passed over.
    fn noted(&self) -> BTreeMap<String, Head> {
        let Some(storage) = storage() else { return BTreeMap::new() };
        let keys = (0..storage.length().unwrap_or_default()).filter_map(|i| storage.key(i).ok().flatten());
        let read = |key: String| {
            let run = key.strip_prefix(&self.prefix)?;
            Some((run.to_string(), serde_json::from_str(&storage.get_item(&key).ok()??).ok()?))
        };
        keys.filter_map(read).collect()
    }

    fn of_run(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}
