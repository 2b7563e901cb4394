//! The digest of a visitor's checkpoint: all of its bytes, a part at a time, beside whatever else the trainer
//! does.

use super::browser::{describe, scope};
use super::post::post;
use crate::bases::Identity;
use crate::protocol::Event;
use std::cell::Cell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, Response};

/// Bytes that are read at once: some milliseconds of a digest.
const PART: f64 = (4 << 20) as f64;

thread_local! {
    /// The number of the latest question; earlier ones are not answered any more.
    static LATEST: Cell<u32> = const { Cell::new(0) };
}

/// Reads the files, by names and addresses, and posts their digest.
pub fn identify(number: u32, files: Vec<(String, String)>) {
    LATEST.set(number);
    spawn_local(async move {
        match digest(number, &files).await {
            Ok(Some(digest)) => post(&Event::Identified { number, digest }),
            Ok(None) => {}
            Err((file, why)) => {
                let message = format!("{file} cannot be read ({why}): has it changed? Choose the files again.");
                post(&Event::Unidentified { number, message });
            }
        }
    });
}

/// `None` where a later question has come. The error is the file at fault and what the browser says.
async fn digest<'a>(number: u32, files: &'a [(String, String)]) -> Result<Option<String>, (&'a str, String)> {
    let mut blobs = Vec::new();
    for (name, address) in files {
        let opened = open(address).await.map_err(|e| (name.as_str(), describe(&e)))?;
        blobs.push((name.as_str(), opened));
    }
    let of = blobs.iter().map(|(_, blob)| blob.size()).sum::<f64>() as u64;
    let (mut identity, mut done) = (Identity::default(), 0);
    for (name, blob) in blobs {
        identity.file(name, blob.size() as u64);
        let mut at = 0.0;
        while at < blob.size() {
            let part = read(&blob, at).await.map_err(|e| (name, describe(&e)))?;
            if LATEST.get() != number {
                return Ok(None);
            }
            identity.bytes(&part);
            at += PART;
            done += part.len() as u64;
            post(&Event::Identifying { number, done, of });
        }
    }
    Ok(Some(identity.digest()))
}

async fn open(address: &str) -> Result<Blob, JsValue> {
    let response: Response = JsFuture::from(scope().fetch_with_str(address)).await?.dyn_into()?;
    JsFuture::from(response.blob()?).await?.dyn_into()
}

async fn read(blob: &Blob, at: f64) -> Result<Vec<u8>, JsValue> {
    let part = blob.slice_with_f64_and_f64(at, (at + PART).min(blob.size()))?;
    let buffer = JsFuture::from(part.array_buffer()).await?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}
