//! The tabs of this page, which know of each other by locks: each holds one for as long as it is open.

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// `navigator.locks`: where a page is not served securely there is none.
    type Locks;
    #[wasm_bindgen(method, catch)]
    fn request(this: &Locks, name: &str, callback: &js_sys::Function) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn query(this: &Locks) -> Result<Promise, JsValue>;
}

/// What stands in front of a tab's name in that of its lock.
const PREFIX: &str = "peft-lab-";

/// A name for this tab: it sorts by when the tab was opened.
pub fn name() -> String {
    format!("{:013.0}-{:06x}", js_sys::Date::now(), (js_sys::Math::random() * 16_777_216.0) as u32)
}

/// Holds the lock of a tab for as long as that is open.
pub fn hold(tab: &str) {
    let never = Promise::new(&mut |_, _| ());
    request(tab, Closure::once_into_js(move || never));
}

/// Does something once a tab is no longer open.
pub fn when_ended(tab: &str, f: impl FnOnce() + 'static) {
    request(tab, Closure::once_into_js(f));
}

/// All tabs that are open, this one too.
pub async fn open() -> Vec<String> {
    let Some(Ok(query)) = locks().map(|locks| locks.query()) else { return Vec::new() };
    let held = JsFuture::from(query).await.and_then(|found| Reflect::get(&found, &"held".into()));
    let held = held.ok().and_then(|held| held.dyn_into::<Array>().ok()).unwrap_or_default();
    let name = |lock: JsValue| Reflect::get(&lock, &"name".into()).ok()?.as_string();
    held.iter().filter_map(name).filter_map(|name| name.strip_prefix(PREFIX).map(String::from)).collect()
}

fn request(tab: &str, granted: JsValue) {
    if let Some(locks) = locks() {
        // Where it is refused, tabs do not know of each other.
        let _ = locks.request(&format!("{PREFIX}{tab}"), granted.unchecked_ref());
    }
}

fn locks() -> Option<Locks> {
    let navigator = web_sys::window()?.navigator();
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    (!locks.is_undefined()).then(|| locks.unchecked_into())
}
