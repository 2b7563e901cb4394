//! The Hub: the list of a model's files, and the files, as blobs of this page. Nothing here runs before a visitor has
//! said so, and no other host is called.

use super::dom;
use super::state::parts::hub::{listing, needed, refused};
use super::state::{Action, File, HUB, HubModel, HubSaid};
use js_sys::{Array, Reflect, Uint8Array};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, Blob, ReadableStreamDefaultReader, RequestInit, Response, Url};
use yew::Callback;

/// Bytes after which what has come is told.
const TOLD: u64 = 1 << 20;
/// Bytes after which pieces become a blob, which the browser may put on its disk.
const PIECES: u64 = 16 << 20;

/// Asks and fetches; what is on its way can be broken off.
#[derive(Clone)]
pub struct HubClient {
    on: Callback<Action>,
    abort: Rc<RefCell<Option<AbortController>>>,
}

impl HubClient {
    /// With nothing to do.
    pub fn new(on: Callback<Action>) -> HubClient {
        HubClient { on, abort: Rc::default() }
    }

    /// Asks for the list of a model's files.
    pub fn list(&self, number: u32, id: String, file: Option<String>) {
        let client = self.clone();
        spawn_local(async move {
            let Some(abort) = client.begin() else { return };
            let listed = match get(&listing(&id), &abort).await {
                Ok(response) if response.ok() => match text(&response).await {
                    Some(answer) => needed(&id, file.as_deref(), &answer),
                    None => Err(silent()),
                },
                Ok(response) => Err(refused(&id, response.status())),
                Err(_) => Err(silent()),
            };
            client.on.emit(Action::FromHub(number, HubSaid::Listed(listed)));
        });
    }

    /// Fetches a model's files, one after the other.
    pub fn fetch(&self, number: u32, model: HubModel) {
        let client = self.clone();
        spawn_local(async move {
            let mut files: Vec<File> = Vec::new();
            let mut before: u64 = 0;
            let Some(abort) = client.begin() else { return };
            for (name, bytes) in &model.files {
                let told = |so_far: u64| client.on.emit(Action::FromHub(number, HubSaid::Bytes(before + so_far)));
                // What was left meanwhile is of no use.
                if abort.signal().aborted() {
                    return forget(&files);
                }
                let blob = match get(&model.address(name), &abort).await {
                    Ok(response) if response.ok() => streamed(&response, told).await.ok_or_else(silent),
                    Ok(response) => Err(refused(&model.id, response.status())),
                    Err(_) => Err(silent()),
                };
                let file = match blob {
                    Ok(blob) => dom::file_of(&blob, name, model.name()).await.ok_or_else(silent),
                    Err(why) => Err(why),
                };
                match file {
                    Ok(file) => files.push(file),
                    Err(why) => {
                        forget(&files);
                        return client.on.emit(Action::FromHub(number, HubSaid::Failed(why)));
                    }
                }
                before = before.saturating_add(*bytes);
            }
            if abort.signal().aborted() {
                return forget(&files);
            }
            client.on.emit(Action::FromHub(number, HubSaid::Files(files)));
        });
    }

    /// Breaks off what is on its way.
    pub fn leave(&self) {
        if let Some(abort) = self.abort.take() {
            abort.abort();
        }
    }

    /// Something begins, in place of what was on its way.
    fn begin(&self) -> Option<AbortController> {
        self.leave();
        let abort = AbortController::new().ok()?;
        self.abort.replace(Some(abort.clone()));
        Some(abort)
    }
}

async fn get(address: &str, abort: &AbortController) -> Result<Response, JsValue> {
    let options = RequestInit::new();
    options.set_signal(Some(&abort.signal()));
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    JsFuture::from(window.fetch_with_str_and_init(address, &options)).await?.dyn_into()
}

/// Gives up the addresses of files that nobody will read.
fn forget(files: &[File]) {
    for at in files.iter().filter_map(|file| file.at.as_ref()) {
        let _ = Url::revoke_object_url(&at.address);
    }
}

fn silent() -> String {
    format!("{HUB} cannot be reached from here: is there a network, and does it let this page through?")
}

async fn text(response: &Response) -> Option<String> {
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}

/// The body as a blob; how much of it has come is told. `None` where it breaks off.
async fn streamed(response: &Response, told: impl Fn(u64)) -> Option<Blob> {
    let reader: ReadableStreamDefaultReader = response.body()?.get_reader().dyn_into().ok()?;
    let (pieces, blobs) = (Array::new(), Array::new());
    let (mut bytes, mut last, mut held) = (0, 0, 0);
    let joined = |pieces: &Array| Blob::new_with_u8_array_sequence(pieces).ok();
    loop {
        let read = JsFuture::from(reader.read()).await.ok()?;
        if Reflect::get(&read, &"done".into()).ok()?.is_truthy() {
            break;
        }
        let piece: Uint8Array = Reflect::get(&read, &"value".into()).ok()?.dyn_into().ok()?;
        bytes += u64::from(piece.length());
        held += u64::from(piece.length());
        pieces.push(&piece);
        if bytes - last >= TOLD {
            told(bytes);
            last = bytes;
        }
        if held >= PIECES {
            blobs.push(&JsValue::from(joined(&pieces)?));
            pieces.set_length(0);
            held = 0;
        }
    }
    blobs.push(&JsValue::from(joined(&pieces)?));
    told(bytes);
    Blob::new_with_blob_sequence(&blobs).ok()
}
