//! The browser's store, IndexedDB: what the page's state asks is carried out here, in its order.
//!
//! A database has five object stores, all but the last by the run's key: `heads` (JSON), `texts` and `lines` (lines of
//! a run file: of the last snapshot, and since), `states` (bytes of φ), `page` (JSON, under one key). Tabs tell each
//! other of what they have written, and hold a lock for as long as they are open.

use super::dom;
use super::indexed_db::{Database, Failed, Transaction, range};
use super::state::{Action, Ask, Head, Record, Said};
use super::tabs;
use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use js_sys::{Array, Reflect, Uint8Array};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{BroadcastChannel, MessageEvent};
use yew::Callback;

/// The name of database and channel.
const NAME: &str = "peft-lab";
/// The version of the database; a new object store needs a new one.
const VERSION: u32 = 1;
const HEADS: &str = "heads";
const TEXTS: &str = "texts";
const LINES: &str = "lines";
const STATES: &str = "states";
const PAGE: &str = "page";
const RUN: [&str; 4] = [HEADS, TEXTS, LINES, STATES];
const ALL: [&str; 5] = [HEADS, TEXTS, LINES, STATES, PAGE];
/// Milliseconds for which lines are gathered before they are written.
const GATHER_MS: u32 = 400;
/// Milliseconds between two looks at how much room is left.
const ROOM_MS: f64 = 10_000.0;

/// The store of this tab.
pub struct Store {
    inner: Rc<Inner>,
    _hides: Option<EventListener>,
}

struct Inner {
    tab: String,
    on: Callback<Action>,
    database: OnceCell<Database>,
    /// Nothing can be kept.
    closed: Cell<bool>,
    asked: RefCell<VecDeque<Ask>>,
    busy: Cell<bool>,
    /// Runs that this tab writes.
    owned: RefCell<BTreeSet<Rc<str>>>,
    /// Lines that have not been written.
    gathered: RefCell<BTreeMap<Rc<str>, String>>,
    timer: RefCell<Option<Timeout>>,
    /// Of lines within this tab's life.
    number: Cell<u32>,
    channel: Option<BroadcastChannel>,
    /// Other tabs whose end is waited for.
    awaited: RefCell<BTreeSet<String>>,
    looked: Cell<f64>,
    persists: Cell<bool>,
    _heard: OnceCell<EventListener>,
}

impl Store {
    /// Opens it. What is asked before it is open waits.
    pub fn open(tab: String, on: Callback<Action>) -> Store {
        let channel = BroadcastChannel::new(NAME).ok();
        let inner = Rc::new(Inner {
            tab,
            on,
            database: OnceCell::new(),
            closed: Cell::new(false),
            asked: RefCell::new(VecDeque::from([Ask::List])),
            busy: Cell::new(true),
            owned: RefCell::default(),
            gathered: RefCell::default(),
            timer: RefCell::default(),
            number: Cell::new(0),
            channel,
            awaited: RefCell::default(),
            looked: Cell::new(0.0),
            persists: Cell::new(false),
            _heard: OnceCell::new(),
        });
        if let Some(channel) = &inner.channel {
            let weak = Rc::downgrade(&inner);
            let heard = EventListener::new(channel, "message", move |event| {
                let keys = event.dyn_ref::<MessageEvent>().and_then(|event| event.data().dyn_into::<Array>().ok());
                if let (Some(inner), Some(keys)) = (weak.upgrade(), keys) {
                    let keys = keys.iter().filter_map(|key| key.as_string()).map(Rc::from).collect();
                    spawn_local(async move { inner.tell_of(keys).await });
                }
            });
            let _ = inner._heard.set(heard);
        }
        // What was measured last is written before the page goes.
        let hides = web_sys::window().map(|window| {
            let inner = inner.clone();
            EventListener::new(&window, "pagehide", move |_| {
                // Nothing that waits comes to its end any more; what has begun does.
                for (key, text) in inner.gathered.take() {
                    drop(inner.put_lines(&key, &text));
                }
            })
        });
        let opened = inner.clone();
        spawn_local(async move {
            match Database::open(NAME, VERSION, &ALL).await {
                Ok(database) => {
                    tabs::hold(&opened.tab);
                    let _ = opened.database.set(database);
                    opened.work().await;
                }
                Err(error) => opened.close(&error),
            }
        });
        Store { inner, _hides: hides }
    }

    /// Takes up what the state asks.
    pub fn ask(&self, ask: Ask) {
        self.inner.ask(ask);
    }
}

impl Inner {
    fn ask(self: &Rc<Self>, ask: Ask) {
        if self.closed.get() {
            return;
        }
        match ask {
            Ask::Lines { key, text } => {
                let ends = text.starts_with("{\"event\":\"stopped\"") || text.starts_with("{\"event\":\"finished\"");
                self.gathered.borrow_mut().entry(key).or_default().push_str(&text);
                if ends {
                    self.write_gathered();
                } else if self.timer.borrow().is_none() {
                    let inner = self.clone();
                    *self.timer.borrow_mut() = Some(Timeout::new(GATHER_MS, move || inner.write_gathered()));
                }
                return;
            }
            Ask::Whole { ref key, .. } | Ask::Begin { ref key, goes_on: false, .. } => {
                // It holds them, or they are of a run that is no more.
                self.gathered.borrow_mut().remove(key);
            }
            Ask::Recall { .. } | Ask::List | Ask::Begin { .. } => self.write_gathered(),
            _ => {}
        }
        self.asked.borrow_mut().push_back(ask);
        self.begin();
    }

    fn write_gathered(self: &Rc<Self>) {
        // Forgotten rather than cancelled: this may run inside the timer's own callback.
        if let Some(timer) = self.timer.borrow_mut().take() {
            let _ = timer.forget();
        }
        let gathered = self.gathered.take();
        self.asked.borrow_mut().extend(gathered.into_iter().map(|(key, text)| Ask::Lines { key, text }));
        self.begin();
    }

    fn begin(self: &Rc<Self>) {
        if self.database.get().is_some() && !self.busy.replace(true) {
            let inner = self.clone();
            spawn_local(async move { inner.work().await });
        }
    }

    /// Does what is asked, one after the other.
    async fn work(self: &Rc<Self>) {
        loop {
            let Some(ask) = self.asked.borrow_mut().pop_front() else { break };
            let writes = !matches!(ask, Ask::List | Ask::Recall { .. } | Ask::Page(_));
            let keeps_phi = matches!(ask, Ask::Whole { .. });
            let mut failed = false;
            match self.carry_out(ask).await {
                Ok(keys) if writes && !keys.is_empty() => self.announce(&keys),
                Ok(_) => {}
                Err(error) if error.is_full() => {
                    failed = true;
                    self.say(Said::Full);
                }
                Err(error) => gloo::console::warn!("the store did not answer:", error.value()),
            }
            if keeps_phi && !failed {
                self.look_for_room().await;
            }
        }
        self.busy.set(false);
    }

    fn say(&self, said: Said) {
        self.on.emit(Action::Store(said));
    }

    fn close(&self, error: &Failed) {
        self.closed.set(true);
        self.asked.take();
        self.gathered.take();
        gloo::console::warn!("nothing can be kept:", error.value());
        self.say(Said::Nothing("a private window, or its storage is switched off".into()));
    }

    /// Begins to read, or to write.
    fn transaction(&self, stores: &[&str], writes: bool) -> Result<Transaction, Failed> {
        let database = self.database.get().ok_or_else(|| Failed::from(JsValue::from("it is not open")))?;
        database.transaction(stores, writes)
    }

    /// Carries out one thing; the keys of runs that it has changed.
    async fn carry_out(self: &Rc<Self>, ask: Ask) -> Result<Vec<Rc<str>>, Failed> {
        match ask {
            Ask::List => self.list().await.map(|()| Vec::new()),
            Ask::Recall { key, run } => self.recall(&key, run).await.map(|()| Vec::new()),
            Ask::Page(text) => {
                let writing = self.transaction(&[PAGE], true)?;
                writing.put(PAGE, &PAGE.into(), &text.into())?;
                writing.end().await.map(|()| Vec::new())
            }
            Ask::Begin { key, head, goes_on } => {
                let writing = self.transaction(&RUN, true)?;
                if !goes_on {
                    clear(&writing, &key)?;
                }
                put_head(&writing, &key, &head)?;
                writing.end().await?;
                self.owned.borrow_mut().insert(key.clone());
                Ok(vec![key])
            }
            Ask::Lines { key, text } => {
                let Some(writing) = self.put_lines(&key, &text)? else { return Ok(Vec::new()) };
                writing.end().await?;
                Ok(vec![key])
            }
            Ask::Whole { key, head, text, tensors } => {
                self.persist();
                let writing = self.transaction(&RUN, true)?;
                let found = head_of(&writing, &key).await?;
                if found.as_ref().is_some_and(|found| found.tab != self.tab) {
                    return Ok(Vec::new());
                }
                clear(&writing, &key)?;
                // It may have been taken off the page while it was on its way.
                let removed = found.is_some_and(|found| found.removed);
                put_head(&writing, &key, &Head { removed, ..head })?;
                let bytes = Uint8Array::from(tensors.as_slice());
                writing.put(TEXTS, &JsValue::from(&*key), &text.into())?;
                writing.put(STATES, &JsValue::from(&*key), &bytes)?;
                writing.end().await?;
                self.owned.borrow_mut().insert(key.clone());
                Ok(vec![key])
            }
            Ask::Mark { keys, removed } => {
                let writing = self.transaction(&[HEADS], true)?;
                for key in &keys {
                    if let Some(head) = head_of(&writing, key).await? {
                        // The tab that can undo it is this one.
                        let head = Head { removed, tab: self.tab.clone(), ..head };
                        put_head(&writing, key, &head)?;
                    }
                }
                writing.end().await?;
                Ok(keys)
            }
            Ask::Erase(keys) => {
                let writing = self.transaction(&RUN, true)?;
                for key in &keys {
                    clear(&writing, key)?;
                    writing.delete(HEADS, &JsValue::from(&**key))?;
                }
                writing.end().await?;
                Ok(keys)
            }
        }
    }

    /// Begins to write lines, where the run is this tab's.
    fn put_lines(&self, key: &Rc<str>, text: &str) -> Result<Option<Transaction>, Failed> {
        if !self.owned.borrow().contains(key) {
            return Ok(None);
        }
        let writing = self.transaction(&[LINES], true)?;
        self.number.set(self.number.get() + 1);
        // Behind those of tabs that were opened before.
        let place = Array::of3(&(&**key).into(), &self.tab.as_str().into(), &self.number.get().into());
        writing.put(LINES, &place, &text.into())?;
        Ok(Some(writing))
    }

    async fn list(self: &Rc<Self>) -> Result<(), Failed> {
        let reading = self.transaction(&[HEADS, TEXTS, LINES, PAGE], false)?;
        let keys = reading.keys(HEADS).await?;
        let mut records = Vec::new();
        for key in keys.iter().filter_map(|key| key.as_string()) {
            records.extend(record(&reading, &key).await?);
        }
        let page = reading.get(PAGE, &PAGE.into()).await?.as_string();
        let tabs = self.others().await;
        self.say(Said::Listed { records, page, tabs });
        Ok(())
    }

    async fn recall(&self, key: &str, run: u32) -> Result<(), Failed> {
        let reading = self.transaction(&RUN, false)?;
        let text = record(&reading, key).await?.map(|record| record.text).unwrap_or_default();
        let bytes = reading.get(STATES, &key.into()).await?.dyn_into::<Uint8Array>().ok();
        self.say(Said::Recalled { run, text, tensors: bytes.map(|bytes| bytes.to_vec()) });
        Ok(())
    }

    /// Tells the other tabs what has changed.
    fn announce(&self, keys: &[Rc<str>]) {
        if let Some(channel) = &self.channel {
            let keys: Array = keys.iter().map(|key| JsValue::from(&**key)).collect();
            let _ = channel.post_message(&keys);
        }
    }

    /// Reads again what another tab has changed.
    async fn tell_of(self: &Rc<Self>, keys: Vec<Rc<str>>) {
        let read = async {
            let reading = self.transaction(&[HEADS, TEXTS, LINES], false)?;
            let (mut records, mut gone) = (Vec::new(), Vec::new());
            for key in keys {
                match record(&reading, &key).await? {
                    Some(record) => {
                        let head: Option<Head> = serde_json::from_str(&record.head).ok();
                        if head.is_none_or(|head| head.tab != self.tab) {
                            self.owned.borrow_mut().remove(&record.key);
                        }
                        records.push(record);
                    }
                    None => gone.push(key),
                }
            }
            Ok::<_, Failed>((records, gone))
        };
        if let Ok((records, gone)) = read.await {
            let tabs = self.others().await;
            self.say(Said::Changed { records, gone, tabs });
        }
    }

    /// Other tabs that are open. When one of them ends, all is read again: what it trained was cut off.
    async fn others(self: &Rc<Self>) -> Vec<String> {
        let mut tabs = tabs::open().await;
        tabs.retain(|tab| *tab != self.tab);
        for tab in &tabs {
            if self.awaited.borrow_mut().insert(tab.clone()) {
                let inner = self.clone();
                tabs::when_ended(tab, move || inner.ask(Ask::List));
            }
        }
        tabs
    }

    /// Asks the browser, once, not to clear the store by itself when the disk is full.
    fn persist(&self) {
        if !self.persists.replace(true)
            && let Some(storage) = dom::storage()
            && let Ok(asked) = storage.persist()
        {
            spawn_local(async move { drop(JsFuture::from(asked).await) });
        }
    }

    async fn look_for_room(&self) {
        if dom::now() - self.looked.get() < ROOM_MS && self.looked.get() > 0.0 {
            return;
        }
        self.looked.set(dom::now().max(1.0));
        let Some(Ok(asked)) = dom::storage().map(|storage| storage.estimate()) else { return };
        let Ok(found) = JsFuture::from(asked).await else { return };
        let number = |name: &str| Reflect::get(&found, &name.into()).ok().and_then(|value| value.as_f64());
        if let (Some(used), Some(of)) = (number("usage"), number("quota")) {
            self.say(Said::Room { used, of });
        }
    }
}

async fn head_of(transaction: &Transaction, key: &str) -> Result<Option<Head>, Failed> {
    let head = transaction.get(HEADS, &key.into()).await?.as_string();
    Ok(head.and_then(|head| serde_json::from_str(&head).ok()))
}

fn put_head(transaction: &Transaction, key: &str, head: &Head) -> Result<(), Failed> {
    let text = serde_json::to_string(head).unwrap_or_default();
    transaction.put(HEADS, &key.into(), &text.into())
}

/// Takes out all that is kept of a run but its head.
fn clear(transaction: &Transaction, key: &str) -> Result<(), Failed> {
    transaction.delete(TEXTS, &key.into())?;
    transaction.delete(STATES, &key.into())?;
    transaction.delete(LINES, &lines_of(key)?)
}

/// All lines of a run: keys that begin with its own.
fn lines_of(key: &str) -> Result<JsValue, Failed> {
    // An array stands behind every text and number.
    range(&Array::of1(&key.into()), &Array::of2(&key.into(), &Array::new()))
}

async fn record(transaction: &Transaction, key: &str) -> Result<Option<Record>, Failed> {
    let head = transaction.get(HEADS, &key.into()).await?;
    if head.is_undefined() {
        return Ok(None);
    }
    let text = transaction.get(TEXTS, &key.into()).await?;
    let lines = transaction.values(LINES, &lines_of(key)?).await?;
    let text = std::iter::once(text).chain(lines.iter()).filter_map(|text| text.as_string()).collect();
    Ok(Some(Record { key: key.into(), head: head.as_string().unwrap_or_default(), text }))
}
