//! A file of the visitor's, a part at a time: nothing of it is in memory twice, and what is read can be told.

use super::browser::scope;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Response};

/// Bytes that are read at once: some milliseconds of a digest.
const PART: f64 = (4 << 20) as f64;

/// The file of an address of this page.
pub async fn open(address: &str) -> Result<Blob, JsValue> {
    let response: Response = JsFuture::from(scope().fetch_with_str(address)).await?.dyn_into()?;
    JsFuture::from(response.blob()?).await?.dyn_into()
}

/// A file that is read from its start to its end. The next part is under way while the one before is used.
pub struct Parts<'a> {
    blob: &'a Blob,
    /// Where the part behind the one under way begins.
    at: f64,
    next: Option<JsFuture>,
}

impl<'a> Parts<'a> {
    /// Begins to read.
    pub fn of(blob: &'a Blob) -> Result<Parts<'a>, JsValue> {
        let mut parts = Parts { blob, at: 0.0, next: None };
        parts.begin()?;
        Ok(parts)
    }

    /// Its next [`PART`] bytes, or the rest; `None` behind the last.
    pub async fn next(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        let Some(under_way) = self.next.take() else { return Ok(None) };
        let part = Uint8Array::new(&under_way.await?);
        self.begin()?;
        Ok(Some(part))
    }

    fn begin(&mut self) -> Result<(), JsValue> {
        if self.at < self.blob.size() {
            let part = self.blob.slice_with_f64_and_f64(self.at, (self.at + PART).min(self.blob.size()))?;
            self.next = Some(JsFuture::from(part.array_buffer()));
            self.at += PART;
        }
        Ok(())
    }
}
