//! A file of the visitor's, a part at a time: nothing of it is in memory twice, and what is read can be told.

use super::browser::scope;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Response};

/// Bytes that are read at once: some milliseconds of a digest.
pub const PART: f64 = (4 << 20) as f64;

/// The file of an address of this page.
pub async fn open(address: &str) -> Result<Blob, JsValue> {
    let response: Response = JsFuture::from(scope().fetch_with_str(address)).await?.dyn_into()?;
    JsFuture::from(response.blob()?).await?.dyn_into()
}

/// Its bytes from a place on, [`PART`] of them or the rest.
pub async fn part(blob: &Blob, at: f64) -> Result<Uint8Array, JsValue> {
    let part = blob.slice_with_f64_and_f64(at, (at + PART).min(blob.size()))?;
    Ok(Uint8Array::new(&JsFuture::from(part.array_buffer()).await?))
}
