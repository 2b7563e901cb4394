//! The digest of a visitor's checkpoint: all of its bytes, a part at a time, beside whatever else the trainer
//! does.

use super::browser::describe;
use super::parts::{Parts, open};
use super::post::post;
use crate::bases::Identity;
use crate::protocol::Event;
use std::cell::Cell;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

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
        let failed = |e: JsValue| (name, describe(&e));
        let mut parts = Parts::of(&blob).map_err(failed)?;
        while let Some(part) = parts.next().await.map_err(failed)? {
            if LATEST.get() != number {
                return Ok(None);
            }
            let part = part.to_vec();
            identity.bytes(&part);
            done += part.len() as u64;
            post(&Event::Identifying { number, done, of });
        }
    }
    Ok(Some(identity.digest()))
}
