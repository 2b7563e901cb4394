//! The browser's store, IndexedDB: what the page's state asks is carried out here, in its order.
//!
//! A database has seven object stores. Four are by the run's key: `heads` (JSON), `texts` and `lines` (lines of a run
//! file: of the last snapshot, and since), `states` (bytes of φ). `own` and `files` have a visitor's data and
//! checkpoints, `page` has JSON under one key. Tabs tell each other of what they have written.

mod own;
mod records;
mod undone;

use self::own::{FILES, OWN};
use self::records::{HEADS, LINES, RUN, STATES, TEXTS, clear, head_of, put_head, record};
use self::undone::Undone;
use super::dom;
use super::indexed_db::{Database, Failed, Transaction};
use super::state::{Action, Ask, Head, OwnFiles, Record, Said};
use super::tabs;
use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use js_sys::{Array, Uint8Array};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{BroadcastChannel, MessageEvent};
use yew::Callback;

/// The name of the page's database and channel.
pub const NAME: &str = "peft-lab";
/// The version of the database; a new object store needs a new one.
const VERSION: u32 = 2;
const PAGE: &str = "page";
const ALL: [&str; 7] = [HEADS, TEXTS, LINES, STATES, PAGE, OWN, FILES];
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
    undone: Rc<Undone>,
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
    /// Of a visitor's own: ids that the page knows of.
    given: RefCell<BTreeSet<String>>,
    /// Other tabs whose end is waited for.
    awaited: RefCell<BTreeSet<String>>,
    looked: Cell<f64>,
    persists: Cell<bool>,
    _heard: OnceCell<EventListener>,
}

impl Store {
    /// Opens the database of a name for a tab. What is asked before it is open waits.
    pub fn open(name: &'static str, tab: String, on: Callback<Action>) -> Store {
        let channel = BroadcastChannel::new(name).ok();
        let inner = Rc::new(Inner {
            tab,
            on,
            undone: Undone::of(name),
            database: OnceCell::new(),
            closed: Cell::new(false),
            asked: RefCell::new(VecDeque::from([Ask::List])),
            busy: Cell::new(true),
            owned: RefCell::default(),
            gathered: RefCell::default(),
            timer: RefCell::default(),
            number: Cell::new(0),
            channel,
            given: RefCell::default(),
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
                    drop(inner.put_lines(&key, &text).map(|writing| writing.map(Transaction::commit)));
                }
            })
        });
        let opened = inner.clone();
        spawn_local(async move {
            match Database::open(name, VERSION, &ALL).await {
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
        match &ask {
            Ask::Lines { key, text } => {
                let ends = text.starts_with("{\"event\":\"stopped\"") || text.starts_with("{\"event\":\"finished\"");
                self.gathered.borrow_mut().entry(key.clone()).or_default().push_str(text);
                if ends {
                    self.write_gathered();
                } else if self.timer.borrow().is_none() {
                    let inner = self.clone();
                    *self.timer.borrow_mut() = Some(Timeout::new(GATHER_MS, move || inner.write_gathered()));
                }
                return;
            }
            Ask::Whole { key, .. } | Ask::Begin { key, goes_on: false, .. } => {
                // It holds them, or they are of a run that is no more.
                self.gathered.borrow_mut().remove(key);
            }
            Ask::Recall { .. } | Ask::List | Ask::Begin { .. } => self.write_gathered(),
            Ask::Back(heads) if self.database.get().is_some() => return self.bring_back(heads.clone()),
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
                Err(error) if error.is_outdated() => return self.close(&error),
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
        self.say(Said::Nothing(error.why().into()));
    }

    /// Begins to read, or to write.
    fn transaction(&self, stores: &[&str], writes: bool) -> Result<Transaction, Failed> {
        self.database()?.transaction(stores, writes)
    }

    fn database(&self) -> Result<&Database, Failed> {
        self.database.get().ok_or_else(|| Failed::from(JsValue::from("it is not open")))
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
                } else if head_of(&writing, &key).await?.is_some_and(|found| found.live && found.tab != self.tab) {
                    // Another tab has gone on with it while this one slept.
                    return Ok(Vec::new());
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
            Ask::Remove(keys) => {
                self.undone.forget(&keys);
                records::remove(self.database()?, &self.tab, &keys).await.map(|()| keys)
            }
            Ask::Back(heads) => {
                self.bring_back(heads);
                Ok(Vec::new())
            }
            Ask::Claim { key, run } => {
                let granted = records::claim(self.database()?, &self.tab, &key).await?;
                self.say(Said::Claimed { run, granted });
                if !granted {
                    return Ok(Vec::new());
                }
                self.owned.borrow_mut().insert(key.clone());
                Ok(vec![key])
            }
            Ask::Rest(key) => {
                let rests = records::rest(self.database()?, &self.tab, &key).await?;
                Ok(if rests { vec![key] } else { Vec::new() })
            }
            Ask::KeepOwn { id, about, files, most } => {
                let inner = self.clone();
                spawn_local(async move { inner.keep_own(id, about, files, most).await });
                Ok(Vec::new())
            }
            Ask::ForgetOwn(ids) => {
                own::forget(self.database()?, &ids).await?;
                self.given.borrow_mut().retain(|id| !ids.contains(id));
                Ok(ids.into_iter().map(Rc::from).collect())
            }
            Ask::Erase(keys) => records::erase(self.database()?, &keys).await.map(|()| keys),
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

    /// Keeps a visitor's own files, and says what came of it.
    async fn keep_own(&self, id: String, about: String, files: Vec<(String, String)>, most: u64) {
        let Some(database) = self.database.get() else { return };
        self.persist();
        let (bytes, kept) = own::keep(database, &id, &about, &files, most).await;
        if kept.is_ok() {
            self.given.borrow_mut().insert(id.clone());
            self.announce(&[id.as_str().into()]);
        }
        self.say(Said::OwnKept { id, bytes, kept });
    }

    /// What is kept of a visitor's own that the page does not know of yet.
    async fn new_own(&self, ids: &BTreeSet<String>) -> Result<Vec<OwnFiles>, Failed> {
        let mut found = Vec::new();
        for id in ids {
            if self.given.borrow_mut().insert(id.clone()) {
                found.extend(own::read(self.database()?, id).await?);
            }
        }
        Ok(found)
    }

    /// Marks runs as back on the page, within the visitor's own event: the next one may be the end of the tab.
    fn bring_back(self: &Rc<Self>, heads: Vec<(Rc<str>, Head)>) {
        // A removal that has not begun must not come behind it.
        for ask in self.asked.borrow_mut().iter_mut() {
            if let Ask::Remove(keys) = ask {
                keys.retain(|key| heads.iter().all(|(back, _)| back != key));
            }
        }
        let inner = self.clone();
        self.undone.bring_back(self.database(), heads, move |keys| inner.announce(keys));
    }

    async fn list(self: &Rc<Self>) -> Result<(), Failed> {
        let unwritten = self.undone.write(self.database()?).await;
        let own = self.new_own(&own::ids(self.database()?).await?).await?;
        let reading = self.transaction(&[HEADS, TEXTS, LINES, PAGE], false)?;
        let keys = reading.keys(HEADS, &JsValue::UNDEFINED).await?;
        let mut records = Vec::new();
        for key in keys.iter().filter_map(|key| key.as_string()) {
            let found = record(&reading, &key).await?;
            records.extend(found.map(|record| match unwritten.get(&key) {
                Some(head) => Record { head: serde_json::to_string(head).unwrap_or_default(), ..record },
                None => record,
            }));
        }
        let page = reading.get(PAGE, &PAGE.into()).await?.as_string();
        let tabs = self.others().await;
        self.say(Said::Listed { records, own, page, tabs });
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
            let ids = own::ids(self.database()?).await?;
            let own = self.new_own(&ids).await?;
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
                    None if ids.contains(&*key) => {}
                    None => gone.push(key),
                }
            }
            Ok::<_, Failed>((records, own, gone))
        };
        if let Ok((records, own, gone)) = read.await {
            self.given.borrow_mut().retain(|id| gone.iter().all(|gone| **gone != **id));
            let tabs = self.others().await;
            self.say(Said::Changed { records, own, gone, tabs });
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
        if !self.persists.replace(true) {
            dom::persist();
        }
    }

    async fn look_for_room(&self) {
        if dom::now() - self.looked.get() < ROOM_MS && self.looked.get() > 0.0 {
            return;
        }
        self.looked.set(dom::now().max(1.0));
        if let Some((used, of)) = dom::room().await {
            self.say(Said::Room { used, of });
        }
    }
}
