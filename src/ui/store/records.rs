//! Runs as they lie in the database: the object stores by a run's key, and what is read and written of them.

use crate::ui::indexed_db::{Database, Failed, Transaction, range};
use crate::ui::state::{Head, Record};
use crate::ui::tabs;
use js_sys::Array;
use std::rc::Rc;
use wasm_bindgen::JsValue;

pub const HEADS: &str = "heads";
pub const TEXTS: &str = "texts";
pub const LINES: &str = "lines";
pub const STATES: &str = "states";
pub const RUN: [&str; 4] = [HEADS, TEXTS, LINES, STATES];

/// What is kept of a run beside its events; nothing where it cannot be read, either.
pub async fn head_of(transaction: &Transaction, key: &str) -> Result<Option<Head>, Failed> {
    let head = transaction.get(HEADS, &key.into()).await?.as_string();
    Ok(head.and_then(|head| serde_json::from_str(&head).ok()))
}

pub fn put_head(transaction: &Transaction, key: &str, head: &Head) -> Result<(), Failed> {
    let text = serde_json::to_string(head).unwrap_or_default();
    transaction.put(HEADS, &key.into(), &text.into())
}

/// Takes out all that is kept of a run but its head.
pub fn clear(transaction: &Transaction, key: &str) -> Result<(), Failed> {
    transaction.delete(TEXTS, &key.into())?;
    transaction.delete(STATES, &key.into())?;
    transaction.delete(LINES, &beginning_with(key)?)
}

/// All keys that are arrays and begin with one: a run's lines, a visitor's files.
pub fn beginning_with(key: &str) -> Result<JsValue, Failed> {
    // An array stands behind every text and number.
    range(&Array::of1(&key.into()), &Array::of2(&key.into(), &Array::new()))
}

/// Marks runs as taken off the page of a tab, which alone can undo it.
pub async fn remove(database: &Database, tab: &str, keys: &[Rc<str>]) -> Result<(), Failed> {
    let writing = database.transaction(&[HEADS], true)?;
    for key in keys {
        if let Some(head) = head_of(&writing, key).await? {
            put_head(&writing, key, &Head { removed: true, tab: tab.into(), ..head })?;
        }
    }
    writing.end().await
}

/// Marks runs as back on the page: begun and handed over at once, without a look at what was there.
pub fn bring_back(database: &Database, heads: &[(Rc<str>, Head)]) -> Result<Transaction, Failed> {
    let writing = database.transaction(&[HEADS], true)?;
    heads.iter().try_for_each(|(key, head)| put_head(&writing, key, head))?;
    writing.commit()
}

/// Takes out runs.
pub async fn erase(database: &Database, keys: &[Rc<str>]) -> Result<(), Failed> {
    let writing = database.transaction(&RUN, true)?;
    for key in keys {
        clear(&writing, key)?;
        writing.delete(HEADS, &JsValue::from(&**key))?;
    }
    writing.end().await
}

/// A run that a tab trained rests; whether anything changed.
pub async fn rest(database: &Database, tab: &str, key: &str) -> Result<bool, Failed> {
    let writing = database.transaction(&[HEADS], true)?;
    let Some(head) = head_of(&writing, key).await?.filter(|head| head.live && head.tab == tab) else {
        return Ok(false);
    };
    put_head(&writing, key, &Head { live: false, ..head })?;
    writing.end().await.map(|()| true)
}

/// Takes a run for a tab, unless another that is open trains it.
pub async fn claim(database: &Database, tab: &str, key: &str) -> Result<bool, Failed> {
    let seen = head_of(&database.transaction(&[HEADS], false)?, key).await?;
    if let Some(head) = seen.as_ref().filter(|head| head.live && head.tab != tab)
        && tabs::is_open(&head.tab).await
    {
        return Ok(false);
    }
    let writing = database.transaction(&[HEADS], true)?;
    let found = head_of(&writing, key).await?;
    // Another tab may have taken it since. Of two transactions that write, one waits for the other.
    let owner = |head: &Option<Head>| head.as_ref().map(|head| (head.tab.clone(), head.live));
    if owner(&found) != owner(&seen) {
        return Ok(false);
    }
    if let Some(head) = found {
        put_head(&writing, key, &Head { tab: tab.into(), live: true, ..head })?;
    }
    writing.end().await.map(|()| true)
}

/// A run with its lines.
pub async fn record(transaction: &Transaction, key: &str) -> Result<Option<Record>, Failed> {
    let head = transaction.get(HEADS, &key.into()).await?;
    if head.is_undefined() {
        return Ok(None);
    }
    let text = transaction.get(TEXTS, &key.into()).await?;
    let lines = transaction.values(LINES, &beginning_with(key)?).await?;
    let text = std::iter::once(text).chain(lines.iter()).filter_map(|text| text.as_string()).collect();
    Ok(Some(Record { key: key.into(), head: head.as_string().unwrap_or_default(), text }))
}
