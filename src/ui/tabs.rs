//! The tabs of this page, which know of each other by locks: each holds one for as long as it is open.
//!
//! Where there are none, as in a page that is not served securely, tabs ask each other: who is open answers. What is
//! said wakes a tab out of sight; one that the browser has put to sleep does not answer, and does not train.

use gloo::events::EventListener;
use gloo::timers::future::TimeoutFuture;
use js_sys::{Array, Function, Promise, Reflect};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{BroadcastChannel, MessageEvent};

#[wasm_bindgen]
extern "C" {
    /// `navigator.locks`: where a page is not served securely there is none.
    type Locks;
    #[wasm_bindgen(method, catch)]
    fn request(this: &Locks, name: &str, callback: &Function) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn query(this: &Locks) -> Result<Promise, JsValue>;
}

/// What stands in front of a tab's name in that of its lock, and the channel on which tabs ask each other.
const PREFIX: &str = "peft-lab-";
const CHANNEL: &str = "peft-lab-tabs";
/// Milliseconds in which all that are open answer.
const ALL_MS: u32 = 500;
/// Milliseconds in which a certain one answers, however busy it is.
const ONE_MS: u32 = 2000;
/// Milliseconds between two questions whether a tab is still open.
const BETWEEN_MS: u32 = 1000;

/// A name for this tab: it sorts by when the tab was opened.
pub fn name() -> String {
    format!("{:013.0}-{:06x}", js_sys::Date::now(), (js_sys::Math::random() * 16_777_216.0) as u32)
}

/// Tells of a tab for as long as that is open.
pub fn hold(tab: &str) {
    match locks() {
        Some(locks) => {
            let never = Promise::new(&mut |_, _| ());
            request(&locks, tab, Closure::once_into_js(move || never));
        }
        None => answer(tab),
    }
}

/// Does something once a tab is no longer open.
pub fn when_ended(tab: &str, f: impl FnOnce() + 'static) {
    if let Some(locks) = locks() {
        return request(&locks, tab, Closure::once_into_js(f));
    }
    let tab = tab.to_string();
    spawn_local(async move {
        while is_open(&tab).await {
            TimeoutFuture::new(BETWEEN_MS).await;
        }
        f();
    });
}

/// All tabs that are open, this one too.
pub async fn open() -> Vec<String> {
    let Some(locks) = locks() else { return asked(None, ALL_MS).await };
    let Ok(query) = locks.query() else { return Vec::new() };
    let held = JsFuture::from(query).await.and_then(|found| Reflect::get(&found, &"held".into()));
    let held = held.ok().and_then(|held| held.dyn_into::<Array>().ok()).unwrap_or_default();
    let name = |lock: JsValue| Reflect::get(&lock, &"name".into()).ok()?.as_string();
    held.iter().filter_map(name).filter_map(|name| name.strip_prefix(PREFIX).map(String::from)).collect()
}

/// Whether a tab is open.
pub async fn is_open(tab: &str) -> bool {
    let tabs = if locks().is_some() { open().await } else { asked(Some(tab), ONE_MS).await };
    tabs.iter().any(|open| open == tab)
}

fn request(locks: &Locks, tab: &str, granted: JsValue) {
    // Where it is refused, tabs do not know of each other.
    let _ = locks.request(&format!("{PREFIX}{tab}"), granted.unchecked_ref());
}

fn locks() -> Option<Locks> {
    let navigator = web_sys::window()?.navigator();
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    (!locks.is_undefined()).then(|| locks.unchecked_into())
}

/// Answers whoever asks, for as long as the page lives. A question is null, an answer a name.
fn answer(tab: &str) {
    let Ok(channel) = BroadcastChannel::new(CHANNEL) else { return };
    let (answers, tab) = (channel.clone(), JsValue::from(tab));
    let heard = EventListener::new(&channel, "message", move |event| {
        if event.dyn_ref::<MessageEvent>().is_some_and(|event| event.data().is_null()) {
            let _ = answers.post_message(&tab);
        }
    });
    heard.forget();
}

/// The tabs that answer in time; where one is looked for, no longer than until it has.
async fn asked(tab: Option<&str>, ms: u32) -> Vec<String> {
    let Ok(channel) = BroadcastChannel::new(CHANNEL) else { return Vec::new() };
    let open: Rc<RefCell<Vec<String>>> = Rc::default();
    let mut over = None;
    let ended = Promise::new(&mut |resolve, _| {
        let _ = web_sys::window().map(|w| w.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms as i32));
        over = Some(resolve);
    });
    let (answered, looked_for) = (open.clone(), tab.map(String::from));
    let heard = EventListener::new(&channel, "message", move |event| {
        let name = event.dyn_ref::<MessageEvent>().and_then(|event| event.data().as_string());
        if let (true, Some(over)) = (name.is_some() && name == looked_for, &over) {
            let _ = over.call0(&JsValue::UNDEFINED);
        }
        answered.borrow_mut().extend(name);
    });
    let _ = channel.post_message(&JsValue::NULL);
    let _ = JsFuture::from(ended).await;
    drop(heard);
    channel.close();
    open.take()
}
