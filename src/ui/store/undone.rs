//! What was brought back last, noted where a write is done at once: of a tab that ends in the moment of Undo the browser
//! may take back a transaction that waits for another one, committed or not.

use super::Inner;
use super::records::{HEADS, bring_back, head_of, put_head};
use crate::ui::indexed_db::{Database, Failed};
use crate::ui::state::{Ask, Head};
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use web_sys::Storage;

/// Notes of one database: heads by run, as JSON under a key of local storage.
pub struct Undone {
    key: String,
}

impl Undone {
    pub fn of(database: &str) -> Undone {
        Undone { key: format!("{database}-undone") }
    }

    /// Notes that runs are back. Where there is no such storage, nothing is noted.
    pub fn note(&self, heads: &[(Rc<str>, Head)]) {
        self.change(|noted| noted.extend(heads.iter().map(|(key, head)| (key.to_string(), head.clone()))));
    }

    /// Their transaction has ended, or they are removed once more.
    pub fn forget(&self, keys: &[Rc<str>]) {
        self.change(|noted| noted.retain(|key, _| keys.iter().all(|gone| **gone != **key)));
    }

    /// Writes what a tab noted and did not live to write. A run that is no longer there stays away.
    pub async fn write(&self, database: &Database) -> Result<(), Failed> {
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

    fn noted(&self) -> BTreeMap<String, Head> {
        let text = storage().and_then(|storage| storage.get_item(&self.key).ok().flatten());
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Head>)) {
        let (Some(storage), mut noted) = (storage(), self.noted()) else { return };
        change(&mut noted);
        // A storage that is full or switched off leaves the transaction alone to keep it.
        let _ = match noted.is_empty() {
            true => storage.remove_item(&self.key),
            false => storage.set_item(&self.key, &serde_json::to_string(&noted).unwrap_or_default()),
        };
    }
}

impl Inner {
    /// Marks runs as back on the page, within the visitor's own event: the next one may be the end of the tab.
    pub(super) fn bring_back(self: &Rc<Self>, heads: Vec<(Rc<str>, Head)>) {
        // A removal that has not begun must not come behind it.
        for ask in self.asked.borrow_mut().iter_mut() {
            if let Ask::Remove(keys) = ask {
                keys.retain(|key| heads.iter().all(|(back, _)| back != key));
            }
        }
        self.undone.note(&heads);
        let begun = self.database().and_then(|database| bring_back(database, &heads));
        let (inner, keys) = (self.clone(), heads.into_iter().map(|(key, _)| key).collect::<Vec<_>>());
        spawn_local(async move {
            let ended = async { begun?.end().await };
            match ended.await {
                Ok(()) => {
                    inner.undone.forget(&keys);
                    inner.announce(&keys);
                }
                Err(error) => gloo::console::warn!("the store did not answer:", error.value()),
            }
        });
    }
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}
