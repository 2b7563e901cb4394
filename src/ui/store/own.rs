//! A visitor's own data and checkpoints in the database: each file once, as the browser's own `Blob`, so that nothing
//! of them passes through the page's memory.

use super::records::beginning_with;
use crate::ui::dom;
use crate::ui::indexed_db::{Database, Failed};
use crate::ui::state::{OwnFiles, Unkept};
use js_sys::{Array, Reflect};
use std::collections::BTreeSet;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Response, Url};

/// JSON that says what is kept, by its id.
pub const OWN: &str = "own";
/// Files, by id and logical name.
pub const FILES: &str = "files";
const BOTH: [&str; 2] = [OWN, FILES];
/// Of the room that the browser gives, as much may be full once a visitor's files are there: runs need the rest.
const SHARE: f64 = 0.7;

/// Keeps files that have addresses of this page; how many bytes they are. `most` is the most they may be.
pub async fn keep(
    database: &Database,
    id: &str,
    about: &str,
    files: &[(String, String)],
    most: u64,
) -> (u64, Result<(), Unkept>) {
    let mut blobs = Vec::new();
    for (name, address) in files {
        match blob_at(address).await {
            Ok(blob) => blobs.push((name, blob)),
            Err(error) => {
                gloo::console::warn!("a file cannot be kept:", error.value());
                return (0, Err(Unkept::Unread));
            }
        }
    }
    let bytes: f64 = blobs.iter().map(|(_, blob)| blob.size()).sum();
    if bytes > most as f64 {
        return (bytes as u64, Err(Unkept::TooLarge));
    }
    let room = dom::room().await;
    if room.is_some_and(|(used, of)| used + bytes > SHARE * of) {
        return (bytes as u64, Err(Unkept::NoRoom));
    }
    let write = async {
        let writing = database.transaction(&BOTH, true)?;
        writing.put(OWN, &id.into(), &about.into())?;
        for (name, blob) in &blobs {
            writing.put(FILES, &Array::of2(&id.into(), &name.as_str().into()), blob)?;
        }
        writing.end().await
    };
    let written: Result<(), Failed> = write.await;
    let kept = written.map_err(|error| {
        gloo::console::warn!("a visitor's files cannot be kept:", error.value());
        if error.is_full() { Unkept::NoRoom } else { Unkept::Refused }
    });
    (bytes as u64, kept)
}

/// Ids of all that is kept.
pub async fn ids(database: &Database) -> Result<BTreeSet<String>, Failed> {
    let reading = database.transaction(&[OWN], false)?;
    Ok(reading.keys(OWN, &JsValue::UNDEFINED).await?.iter().filter_map(|id| id.as_string()).collect())
}

/// What is kept under an id, with addresses under which the page's trainers read it.
pub async fn read(database: &Database, id: &str) -> Result<Option<OwnFiles>, Failed> {
    let reading = database.transaction(&BOTH, false)?;
    let Some(about) = reading.get(OWN, &id.into()).await?.as_string() else { return Ok(None) };
    let range = beginning_with(id)?;
    let (keys, blobs) = (reading.keys(FILES, &range).await?, reading.values(FILES, &range).await?);
    let file = |(key, blob): (JsValue, JsValue)| {
        let name = key.dyn_into::<Array>().ok()?.get(1).as_string()?;
        let blob: Blob = blob.dyn_into().ok()?;
        Some((name, Url::create_object_url_with_blob(&blob).ok()?, blob.size() as u64))
    };
    let files = keys.iter().zip(blobs.iter()).filter_map(file).collect();
    Ok(Some(OwnFiles { id: id.into(), about, files }))
}

/// Takes out what is kept under ids.
pub async fn forget(database: &Database, ids: &[String]) -> Result<(), Failed> {
    let writing = database.transaction(&BOTH, true)?;
    for id in ids {
        writing.delete(OWN, &id.as_str().into())?;
        writing.delete(FILES, &beginning_with(id)?)?;
    }
    writing.end().await
}

async fn blob_at(address: &str) -> Result<Blob, Failed> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let response: Response = JsFuture::from(window.fetch_with_str(address)).await?.dyn_into()?;
    let blob = JsFuture::from(response.blob()?).await?;
    // A file that was changed or taken away meanwhile gives no blob.
    match Reflect::has(&blob, &"size".into())? {
        true => Ok(blob.unchecked_into()),
        false => Err(blob.into()),
    }
}
