//! IndexedDB's requests and transactions as futures: as much of it as the store needs.
//!
//! The browser calls a promise's own functions, so nothing of this has closures of ours. Between two requests of a
//! transaction only microtasks run, so it stays open.

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DomException, IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction,
    IdbTransactionMode,
};

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
        self.0.dyn_ref::<DomException>().is_some_and(|exception| exception.name() == "QuotaExceededError")
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
        let upgrading: &IdbOpenDbRequest = &request;
        upgrading.set_onupgradeneeded(Some(upgraded.as_ref().unchecked_ref()));
        Ok(Database(answer(request.unchecked_into()).await?.dyn_into()?))
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

    /// All keys.
    pub async fn keys(&self, store: &str) -> Result<Array, Failed> {
        Ok(answer(self.store(store)?.get_all_keys()?).await?.unchecked_into())
    }

    /// Writes a value, in place of what the key held.
    pub fn put(&self, store: &str, key: &JsValue, value: &JsValue) -> Result<(), Failed> {
        self.store(store)?.put_with_key(value, key)?;
        Ok(())
    }

    /// Takes out a key, or a range of them.
    pub fn delete(&self, store: &str, key: &JsValue) -> Result<(), Failed> {
        self.store(store)?.delete(key)?;
        Ok(())
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
    });
    match JsFuture::from(answered).await {
        Ok(_) => Ok(request.result()?),
        Err(event) => Err(Failed(request.error().ok().flatten().map_or(event, JsValue::from))),
    }
}
