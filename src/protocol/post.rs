//! Messages as they are posted between page and worker: JSON text, or an object of text and buffers.

use super::bytes::Bytes;
use crate::base::read_json;
use js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};

/// A message to post: the value, and the buffers that change hands with it.
pub struct Posted {
    /// Text, or `{message: text, buffers: [ArrayBuffer]}` where the message carries bytes.
    pub value: JsValue,
    /// What `postMessage` is to transfer; empty for a text.
    pub transfer: Array,
}

impl Posted {
    /// A message, ready to post.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn new(message: &(impl Serialize + Bytes)) -> serde_json::Result<Posted> {
        let text = JsValue::from(serde_json::to_string(message)?);
        let Some((_, bytes)) = message.bytes() else { return Ok(Posted { value: text, transfer: Array::new() }) };
        let buffers = Array::of1(&Uint8Array::from(bytes.as_slice()).buffer());
        let value = Object::new();
        // A fresh object takes any property.
        let _ = Reflect::set(&value, &"message".into(), &text);
        let _ = Reflect::set(&value, &"buffers".into(), &buffers);
        Ok(Posted { value: value.into(), transfer: buffers })
    }
}

/// A message as it came.
pub struct Received {
    /// Its JSON; empty where the value is no message.
    pub text: String,
    /// The buffer beside it.
    pub buffer: Option<ArrayBuffer>,
}

impl Received {
    /// What was posted.
    pub fn new(value: &JsValue) -> Received {
        if let Some(text) = value.as_string() {
            return Received { text, buffer: None };
        }
        let get = |name: &str| Reflect::get(value, &name.into()).ok();
        let buffers = get("buffers").and_then(|buffers| buffers.dyn_into::<Array>().ok());
        Received {
            text: get("message").and_then(|text| text.as_string()).unwrap_or_default(),
            buffer: buffers.and_then(|buffers| buffers.get(0).dyn_into().ok()),
        }
    }

    /// The message, with its bytes in their place.
    ///
    /// # Errors
    /// The end of a sentence, where the text is no such message.
    pub fn read<M: DeserializeOwned + Bytes>(&self) -> Result<M, String> {
        let mut message: M = read_json(&self.text)?;
        if let (Some(place), Some(buffer)) = (message.bytes_mut(), &self.buffer) {
            *place = Uint8Array::new(buffer).to_vec();
        }
        Ok(message)
    }
}
