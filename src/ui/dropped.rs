//! Files and folders that were dropped on the page.

use super::dom::{self, Chosen};
use super::state::Action;
use super::walk::{Entry, walk};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    DataTransfer, File, FileSystemDirectoryEntry, FileSystemDirectoryReader, FileSystemEntry, FileSystemFileEntry,
};
use yew::Callback;

/// Whether files are among what is dragged.
pub fn has_files(transfer: &DataTransfer) -> bool {
    let items = transfer.items();
    transfer.files().is_some_and(|list| list.length() > 0)
        || (0..items.length()).filter_map(|i| items.get(i)).any(|item| item.kind() == "file")
}

/// Reads what was dropped and hands it on; folders are walked, and then are as if they had been chosen.
pub fn open(transfer: &DataTransfer, on: &Callback<Action>) {
    // What was dropped is there only while the event is handled: nothing may be waited for yet.
    let items = transfer.items();
    let entries = (0..items.length()).filter_map(|i| items.get(i)).filter(|item| item.kind() == "file");
    let entries: Vec<FileSystemEntry> = entries.filter_map(|item| item.webkit_get_as_entry().ok().flatten()).collect();
    let loose = transfer.files();
    let on = on.clone();
    if !entries.iter().any(FileSystemEntry::is_directory) {
        let files = loose.map(|list| Chosen::of(&list)).unwrap_or_default();
        return spawn_local(async move { on.emit(Action::Open(dom::read_files(files).await)) });
    }
    spawn_local(async move {
        let entries = entries.into_iter().map(|entry| Dropped { entry, reader: None }).collect();
        on.emit(match walk(entries).await {
            Ok(files) => {
                let files = files.into_iter().map(|(file, path)| Chosen { file, path }).collect();
                Action::Open(dom::read_files(files).await)
            }
            Err(why) => Action::Refuse(why),
        });
    });
}

/// An entry of the browser's.
struct Dropped {
    entry: FileSystemEntry,
    /// Of a folder that is being read: it goes on where it was.
    reader: Option<FileSystemDirectoryReader>,
}

impl Entry for Dropped {
    type File = File;

    fn name(&self) -> String {
        self.entry.name()
    }

    fn is_folder(&self) -> bool {
        self.entry.is_directory()
    }

    async fn more(&mut self) -> Vec<Dropped> {
        let folder: &FileSystemDirectoryEntry = self.entry.unchecked_ref();
        let reader = self.reader.get_or_insert_with(|| folder.create_reader());
        let read = called(|resolve, reject| reader.read_entries_with_callback_and_callback(resolve, reject)).await;
        let entries = read.map(|entries| entries.unchecked_into::<Array>()).unwrap_or_default();
        entries.iter().map(|entry| Dropped { entry: entry.unchecked_into(), reader: None }).collect()
    }

    async fn file(&self) -> Option<File> {
        let entry: &FileSystemFileEntry = self.entry.unchecked_ref();
        let file = called(|resolve, reject| {
            entry.file_with_callback_and_callback(resolve, reject);
            Ok(())
        });
        file.await.map(JsCast::unchecked_into)
    }
}

/// What a function with callbacks gives; `None` where it fails.
async fn called(call: impl Fn(&Function, &Function) -> Result<(), JsValue>) -> Option<JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        if call(&resolve, &reject).is_err() {
            // Nobody waits for what this returns.
            let _ = reject.call0(&JsValue::NULL);
        }
    });
    JsFuture::from(promise).await.ok()
}
