//! Large files of the site, part by part: each is checked by its digest as it comes, and kept in the browser's Cache
//! Storage, so that neither a broken connection nor a closed tab costs more than one of them.
//!
//! Where the browser gives the page no such storage (a page that is not served over https, a private window), what has
//! come lives as long as the page.

use super::assets::Part;
use super::dom;
use super::state::{Action, FetchAsk, FetchSaid};
use js_sys::{Array, Promise};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, Blob, Cache, DomException, Request, RequestInit, Response, Url};
use yew::Callback;

/// The cache's name; its keys are the parts' addresses, which change with their contents.
const CACHE: &str = "peft-lab-bases";

/// Fetches one file at a time.
#[derive(Clone)]
pub struct Fetcher(Rc<Inner>);

struct Inner {
    on: Callback<Action>,
    /// Breaks off what is on its way.
    abort: RefCell<Option<AbortController>>,
    /// Parts that the browser does not keep, by their addresses.
    held: RefCell<Vec<(String, Blob)>>,
}

/// Why it ended before all was there.
enum Broken {
    /// The visitor wished it.
    Wished,
    /// What the browser or the server says.
    Because(String),
}

impl Fetcher {
    /// With nothing to do.
    pub fn new(on: Callback<Action>) -> Fetcher {
        Fetcher(Rc::new(Inner { on, abort: RefCell::default(), held: RefCell::default() }))
    }

    /// Does what is asked; `parts` are those of the file that is named.
    pub fn ask(&self, ask: FetchAsk, parts: Vec<Part>) {
        let inner = self.0.clone();
        match ask {
            FetchAsk::Cancel => {
                if let Some(abort) = inner.abort.borrow().as_ref() {
                    abort.abort();
                }
            }
            FetchAsk::Look(name) => spawn_local(async move { inner.look(name, &parts).await }),
            FetchAsk::Begin(name) => spawn_local(async move { inner.fetch(name, &parts).await }),
            FetchAsk::Forget(name) => spawn_local(async move {
                if let Some(cache) = cache().await {
                    for part in &parts {
                        let _ = JsFuture::from(cache.delete_with_str(&dom::absolute(&part.file))).await;
                    }
                }
                inner.say(name, FetchSaid::Forgotten);
            }),
        }
    }
}

impl Inner {
    fn say(&self, name: String, said: FetchSaid) {
        self.on.emit(Action::Fetched(name, said));
    }

    /// Says what the browser keeps of a file; of all of it, where it can be read.
    async fn look(&self, name: String, parts: &[Part]) {
        let cache = cache().await;
        let mut blobs = Vec::new();
        let mut bytes = 0;
        for part in parts {
            if let Some(blob) = self.here(cache.as_ref(), part).await {
                bytes += part.bytes;
                blobs.push(blob);
            }
        }
        let whole = if blobs.len() == parts.len() { joined(&blobs) } else { None };
        self.say(name, whole.map_or(FetchSaid::Bytes(bytes), |address| FetchSaid::Here(address, true)));
    }

    async fn fetch(&self, name: String, parts: &[Part]) {
        let Ok(abort) = AbortController::new() else { return };
        self.abort.replace(Some(abort.clone()));
        let cache = cache().await;
        if let Some(cache) = &cache {
            forget_others(cache, parts).await;
        }
        let (mut bytes, mut kept) = (0, cache.is_some());
        let mut blobs = Vec::new();
        let mut broken = None;
        for (i, part) in parts.iter().enumerate() {
            if abort.signal().aborted() {
                broken = Some((i, Broken::Wished));
                break;
            }
            let blob = match self.here(cache.as_ref(), part).await {
                Some(blob) => Ok(blob),
                None => self.part(part, cache.as_ref(), &abort, &mut kept).await,
            };
            match blob {
                Ok(blob) => blobs.push(blob),
                Err(why) => {
                    broken = Some((i, why));
                    break;
                }
            }
            bytes += part.bytes;
            self.say(name.clone(), FetchSaid::Bytes(bytes));
        }
        self.abort.replace(None);
        let said = match broken {
            None => match joined(&blobs) {
                Some(address) => FetchSaid::Here(address, kept),
                None => FetchSaid::BrokenOff(bytes, Some("The browser has no room for it.".into())),
            },
            Some((_, Broken::Wished)) => FetchSaid::BrokenOff(bytes, None),
            Some((i, Broken::Because(why))) => {
                let what = format!("Part {} of {} did not arrive as it should ({why}).", i + 1, parts.len());
                FetchSaid::BrokenOff(bytes, Some(format!("{what} What has come stays: fetch the rest when you like.")))
            }
        };
        self.say(name, said);
    }

    /// A part that is here already.
    async fn here(&self, cache: Option<&Cache>, part: &Part) -> Option<Blob> {
        let address = dom::absolute(&part.file);
        if let Some((_, blob)) = self.held.borrow().iter().find(|(held, _)| *held == address) {
            return Some(blob.clone());
        }
        let found = JsFuture::from(cache?.match_with_str(&address)).await.ok()?;
        let blob: Blob = JsFuture::from(found.dyn_into::<Response>().ok()?.blob().ok()?).await.ok()?.dyn_into().ok()?;
        Some(blob).filter(|blob| blob.size() == part.bytes as f64)
    }

    /// Fetches a part. The browser itself refuses one whose digest is another.
    async fn part(
        &self,
        part: &Part,
        cache: Option<&Cache>,
        abort: &AbortController,
        kept: &mut bool,
    ) -> Result<Blob, Broken> {
        let address = dom::absolute(&part.file);
        let options = RequestInit::new();
        options.set_integrity(&part.integrity);
        options.set_signal(Some(&abort.signal()));
        let window = web_sys::window().ok_or_else(|| Broken::Because("there is no window".into()))?;
        let response = settled(window.fetch_with_str_and_init(&address, &options)).await?;
        let response: Response = response.dyn_into().map_err(|_| Broken::Because("no answer".into()))?;
        if !response.ok() {
            return Err(Broken::Because(format!("the server answered {}", response.status())));
        }
        let copy = response.clone().ok();
        let blob = settled(response.blob().map_err(of)?).await?;
        let blob: Blob = blob.dyn_into().map_err(|_| Broken::Because("no bytes".into()))?;
        let put = match (cache, copy) {
            (Some(cache), Some(copy)) => JsFuture::from(cache.put_with_str(&address, &copy)).await.is_ok(),
            _ => false,
        };
        if !put {
            *kept = false;
            self.held.borrow_mut().push((address, blob.clone()));
        }
        Ok(blob)
    }
}

async fn settled(promise: Promise) -> Result<JsValue, Broken> {
    JsFuture::from(promise).await.map_err(of)
}

fn of(error: JsValue) -> Broken {
    if error.dyn_ref::<DomException>().is_some_and(|error| error.name() == "AbortError") {
        return Broken::Wished;
    }
    Broken::Because(error.dyn_ref::<js_sys::Error>().map_or_else(|| "no answer".into(), |e| String::from(e.message())))
}

/// Where the browser keeps parts; `None` where it keeps none for this page.
async fn cache() -> Option<Cache> {
    let storage = web_sys::window()?.caches().ok().filter(|storage| storage.is_object())?;
    JsFuture::from(storage.open(CACHE)).await.ok()?.dyn_into().ok()
}

/// Takes out parts of this site's earlier builds.
async fn forget_others(cache: &Cache, parts: &[Part]) {
    let present: Vec<String> = parts.iter().map(|part| dom::absolute(&part.file)).collect();
    let site = dom::absolute("models/");
    let Ok(requests) = JsFuture::from(cache.keys()).await else { return };
    for request in Array::from(&requests).iter().filter_map(|request| request.dyn_into::<Request>().ok()) {
        let address = request.url();
        if address.starts_with(&site) && !present.contains(&address) {
            let _ = JsFuture::from(cache.delete_with_str(&address)).await;
        }
    }
}

/// The address of all parts behind each other.
fn joined(blobs: &[Blob]) -> Option<String> {
    let parts: Array = blobs.iter().collect();
    let whole = Blob::new_with_blob_sequence(&parts).ok()?;
    Url::create_object_url_with_blob(&whole).ok()
}
