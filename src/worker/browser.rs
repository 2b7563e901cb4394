//! What the browser gives a worker.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel};

/// What an exception says.
pub fn describe(value: &JsValue) -> String {
    value.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{value:?}"), |e| String::from(e.message()))
}

/// The worker itself.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds since the worker started.
pub fn now() -> f64 {
    scope().performance().map_or(0.0, |p| p.now())
}

/// The browser and how many processors it tells, for the run file.
pub fn hardware() -> String {
    let navigator = scope().navigator();
    let agent = navigator.user_agent().unwrap_or_default();
    format!("{agent}, {} threads", navigator.hardware_concurrency())
}

/// Turns of the event loop. A timer would be clamped to 4 ms, a resolved promise would not let messages in.
pub struct Turns {
    channel: Option<MessageChannel>,
}

impl Turns {
    /// A channel to itself.
    pub fn new() -> Turns {
        Turns { channel: MessageChannel::new().ok() }
    }

    /// Ends after the messages that wait have been delivered.
    pub async fn next(&self) {
        let Some(channel) = &self.channel else { return };
        let promise = js_sys::Promise::new(&mut |resolve, _| channel.port1().set_onmessage(Some(&resolve)));
        // Posting null cannot fail: it needs no copy of an object.
        let _ = channel.port2().post_message(&JsValue::NULL);
        let _ = JsFuture::from(promise).await;
    }
}
