//! IndexedDB's requests and transactions as futures: as much of it as the store needs.
//!
//! The browser calls a promise's own functions, so nothing of this has closures of ours. Between two requests of a
//! transaction only microtasks run, so it stays open.

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, Event, IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest,
    IdbTransaction, IdbTransactionMode,
};

#[wasm_bindgen]
extern "C" {
    /// A transaction of a browser that lets a page end it.
    type Commits;
    #[wasm_bindgen(method, catch)]
    fn commit(this: &Commits) -> Result<(), JsValue>;
}

/// An exception of the browser.
pub struct Failed(JsValue);

impl From<JsValue> for Failed {
    fn from(value: JsValue) -> Failed {
        Failed(value)
    }
}

impl Failed {
    /// What the browser says of it, for the console.
    pub fn value(&self) -> &JsValue {
        &self.0
    }

    /// Whether there was no room.
    pub fn is_full(&self) -> bool {
        self.name() == "QuotaExceededError"
    }

    /// Whether the database is of a later version, or was closed for one.
    pub fn is_outdated(&self) -> bool {
        ["VersionError", "InvalidStateError"].contains(&self.name().as_str())
    }

    /// Why nothing can be kept, as a part of a sentence.
    pub fn why(&self) -> &'static str {
        if self.0.dyn_ref::<Event>().is_some_and(|event| event.type_() == "blocked") {
            return "another tab has an earlier version of it: close that tab, and load the page again";
        }
        match self.is_outdated() {
            true => "its storage is of a later version of it: load the page again",
            false => "a private window, or its storage is switched off",
        }
    }

    fn name(&self) -> String {
        self.0.dyn_ref::<DomException>().map(DomException::name).unwrap_or_default()
    }
}

/// A database.
pub struct Database(IdbDatabase);

/// Reads and writes that happen together.
pub struct Transaction(IdbTransaction);

impl Database {
    /// Opens it; in a new one these object stores are made, whose keys stand beside their values.
    pub async fn open(name: &str, version: u32, stores: &[&str]) -> Result<Database, Failed> {
        let factory = Reflect::get(&js_sys::global(), &"indexedDB".into())?;
        let factory: IdbFactory = factory.dyn_into()?;
        let request = factory.open_with_u32(name, version)?;
        let upgraded = Closure::once({
            let request = request.clone();
            let stores: Vec<String> = stores.iter().map(|store| store.to_string()).collect();
            move || {
                let database = request.result().ok().and_then(|database| database.dyn_into::<IdbDatabase>().ok());
                // What fails here fails the opening.
                for (database, store) in database.iter().zip([&stores]).flat_map(|(d, s)| s.iter().map(move |s| (d, s)))
                {
                    let _ = database.create_object_store(store);
                }
            }
        });
        request.set_onupgradeneeded(Some(upgraded.as_ref().unchecked_ref()));
        let database: IdbDatabase = answer(request.unchecked_into()).await?.dyn_into()?;
        // A newer page in another tab would wait for this one.
        let closing = database.clone();
        let closes = Closure::<dyn FnMut()>::new(move || closing.close());
        database.set_onversionchange(Some(closes.into_js_value().unchecked_ref()));
        Ok(Database(database))
    }

    /// Begins to read these object stores, or to write them.
    pub fn transaction(&self, stores: &[&str], writes: bool) -> Result<Transaction, Failed> {
        let stores: Array = stores.iter().map(|store| JsValue::from(*store)).collect();
        let mode = if writes { IdbTransactionMode::Readwrite } else { IdbTransactionMode::Readonly };
        Ok(Transaction(self.0.transaction_with_str_sequence_and_mode(&stores, mode)?))
    }
}

impl Transaction {
    fn store(&self, name: &str) -> Result<IdbObjectStore, Failed> {
        Ok(self.0.object_store(name)?)
    }

    /// The value of a key; undefined where there is none.
    pub async fn get(&self, store: &str, key: &JsValue) -> Result<JsValue, Failed> {
        answer(self.store(store)?.get(key)?).await
    }

    /// All values of a range, by key.
    pub async fn values(&self, store: &str, range: &JsValue) -> Result<Array, Failed> {
        Ok(answer(self.store(store)?.get_all_with_key(range)?).await?.unchecked_into())
    }

    /// All keys of a range; undefined stands for all there are.
    pub async fn keys(&self, store: &str, range: &JsValue) -> Result<Array, Failed> {
        Ok(answer(self.store(store)?.get_all_keys_with_key(range)?).await?.unchecked_into())
    }

    /// Writes a value, in place of what the key held.
    pub fn put(&self, store: &str, key: &JsValue, value: &JsValue) -> Result<(), Failed> {
        let put = self.store(store)?.put_with_key(value, key);
        self.all_or_nothing(put)
    }

    /// Takes out a key, or a range of them.
    pub fn delete(&self, store: &str, key: &JsValue) -> Result<(), Failed> {
        let deleted = self.store(store)?.delete(key);
        self.all_or_nothing(deleted)
    }

    /// What is refused at once takes back what was asked before it: that would be written by itself.
    fn all_or_nothing(&self, asked: Result<IdbRequest, JsValue>) -> Result<(), Failed> {
        if asked.is_err() {
            let _ = self.0.abort();
        }
        Ok(asked.map(|_| ())?)
    }

    /// Hands all to the browser now: it is written even where the page ends in this moment.
    pub fn commit(self) -> Result<Transaction, Failed> {
        // Without it a transaction ends once nothing more is asked of it, and that takes a turn.
        if Reflect::has(&self.0, &"commit".into())? {
            self.0.unchecked_ref::<Commits>().commit()?;
        }
        Ok(self)
    }

    /// Waits until all is written.
    pub async fn end(self) -> Result<(), Failed> {
        let transaction = &self.0;
        let ended = Promise::new(&mut |resolve, reject| {
            transaction.set_oncomplete(Some(&resolve));
            transaction.set_onabort(Some(&reject));
        });
        match JsFuture::from(ended).await {
            Ok(_) => Ok(()),
            Err(event) => Err(Failed(transaction.error().map_or(event, JsValue::from))),
        }
    }
}

/// All keys between two, both included.
pub fn range(first: &JsValue, last: &JsValue) -> Result<JsValue, Failed> {
    Ok(IdbKeyRange::bound(first, last)?.into())
}

/// What a request gives.
async fn answer(request: IdbRequest) -> Result<JsValue, Failed> {
    let answered = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
        if let Some(opening) = request.dyn_ref::<IdbOpenDbRequest>() {
            opening.set_onblocked(Some(&reject));
        }
    });
    match JsFuture::from(answered).await {
        Ok(_) => Ok(request.result()?),
        Err(event) => Err(Failed(request.error().ok().flatten().map_or(event, JsValue::from))),
    }
}
