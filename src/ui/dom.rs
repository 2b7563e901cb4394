//! The few things of the browser that `web-sys` has no stable binding for, or that need several calls.

use super::assets::Manifest;
use super::state::{At, File, GpuProbe};
use crate::bases::{Checkpoint, Part};
use crate::model::files::gguf::Gguf;
use crate::peft::adapter_names::{CONFIG_FILE, MODEL_FILE};
use crate::protocol::Event;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// WebGPU's entry; its `web-sys` bindings are unstable.
    type NavigatorGpu;
    #[wasm_bindgen(method, getter)]
    fn gpu(this: &NavigatorGpu) -> Option<Gpu>;

    type Gpu;
    #[wasm_bindgen(method, catch, js_name = requestAdapter)]
    fn request_adapter(this: &Gpu) -> Result<js_sys::Promise, JsValue>;

    type Adapter;
    #[wasm_bindgen(method, getter, js_name = isFallbackAdapter)]
    fn is_fallback_adapter(this: &Adapter) -> Option<bool>;
    #[wasm_bindgen(method, getter)]
    fn info(this: &Adapter) -> Option<AdapterInfo>;

    type AdapterInfo;
    #[wasm_bindgen(method, getter, js_name = isFallbackAdapter)]
    fn is_fallback(this: &AdapterInfo) -> Option<bool>;

    /// `<dialog>`.
    pub type Dialog;
    /// Opens it over the page.
    #[wasm_bindgen(method, catch, js_name = showModal)]
    pub fn show_modal(this: &Dialog) -> Result<(), JsValue>;
    /// Closes it.
    #[wasm_bindgen(method)]
    pub fn close(this: &Dialog);
}

/// For `toggle` of a `<details>`: what a visitor unfolded out of sight is scrolled to.
/// What opens by itself, with the page or for a setting, is not: then the focus is elsewhere.
pub fn unfolded(event: web_sys::Event) {
    let part = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let focus = web_sys::window().and_then(|window| window.document()).and_then(|document| document.active_element());
    if let Some(part) = part.filter(|part| part.has_attribute("open") && part.contains(focus.as_deref())) {
        let nearest = web_sys::ScrollIntoViewOptions::new();
        nearest.set_block(web_sys::ScrollLogicalPosition::Nearest);
        part.scroll_into_view_with_scroll_into_view_options(&nearest);
    }
}

/// Asks the browser for a GPU.
pub async fn probe_gpu() -> GpuProbe {
    let Some(window) = web_sys::window() else { return GpuProbe::NoApi };
    let navigator: NavigatorGpu = window.navigator().unchecked_into();
    let Some(gpu) = navigator.gpu() else { return GpuProbe::NoApi };
    let adapter = match gpu.request_adapter() {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    match adapter {
        Ok(adapter) if !adapter.is_null() && !adapter.is_undefined() => {
            let adapter: Adapter = adapter.unchecked_into();
            // The flag moved from the adapter to its info.
            let fallback = adapter.info().and_then(|i| i.is_fallback()).or_else(|| adapter.is_fallback_adapter());
            if fallback == Some(true) { GpuProbe::Fallback } else { GpuProbe::Hardware }
        }
        _ => GpuProbe::NoAdapter,
    }
}

/// The manifest that the build wrote into the page; an empty one where it did not.
pub fn manifest() -> Manifest {
    let text = document().and_then(|d| d.get_element_by_id("assets")).and_then(|e| e.text_content());
    text.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_default()
}

/// An address relative to the page, made absolute.
pub fn absolute(relative: &str) -> String {
    let base = document().and_then(|d| d.base_uri().ok().flatten()).unwrap_or_default();
    web_sys::Url::new_with_base(relative, &base).map_or_else(|_| relative.to_string(), |url| url.href())
}

/// Fetches a text; `None` where it did not arrive. `fresh` goes around the browser's cache.
pub async fn fetch_text(url: &str, fresh: bool) -> Option<String> {
    let cache = if fresh { web_sys::RequestCache::NoStore } else { web_sys::RequestCache::Default };
    let response = gloo::net::http::Request::get(url).cache(cache).send().await.ok()?;
    if response.ok() { response.text().await.ok() } else { None }
}

/// Tells the window about an event of the trainer.
/// Slides and tests follow a run by it without reading the page. The bytes of a file that came with it are there as an
/// `ArrayBuffer`, under the name of their field.
pub fn announce(json: &str, bytes: Option<(&str, js_sys::ArrayBuffer)>) {
    let Some(window) = web_sys::window() else { return };
    let init = web_sys::CustomEventInit::new();
    let detail = js_sys::JSON::parse(json).unwrap_or(JsValue::NULL);
    if let Some((name, buffer)) = bytes {
        // An event is an object, which takes any property.
        let _ = js_sys::Reflect::set(&detail, &name.into(), &buffer);
    }
    init.set_detail(&detail);
    if let Ok(event) = web_sys::CustomEvent::new_with_event_init_dict("peft-lab", &init) {
        // A listener's exception is its own affair.
        let _ = window.dispatch_event(&event);
    }
}

/// The same for an event that the page itself has to report: a worker that can no longer speak.
pub fn announce_event(event: &Event) {
    if let Ok(json) = serde_json::to_string(event) {
        announce(&json, None);
    }
}

/// What the browser says of its storage; nothing where the page is not served securely.
pub fn storage() -> Option<web_sys::StorageManager> {
    let navigator = web_sys::window()?.navigator();
    let storage = js_sys::Reflect::get(&navigator, &"storage".into()).ok()?;
    (!storage.is_undefined()).then(|| storage.unchecked_into())
}

/// Asks the browser not to clear the site's storage by itself.
pub fn persist() {
    if let Some(Ok(asked)) = storage().map(|storage| storage.persist()) {
        wasm_bindgen_futures::spawn_local(async move { drop(JsFuture::from(asked).await) });
    }
}

/// Bytes that this site uses, and that the browser gives it.
pub async fn room() -> Option<(f64, f64)> {
    let found = JsFuture::from(storage()?.estimate().ok()?).await.ok()?;
    let number = |name: &str| js_sys::Reflect::get(&found, &name.into()).ok().and_then(|value| value.as_f64());
    Some((number("usage")?, number("quota")?))
}

/// Puts the focus on an element once it is drawn; a busy page may take a while.
pub fn focus_soon(selector: &'static str) {
    try_to_focus(selector, 60);
}

fn try_to_focus(selector: &'static str, tries: u32) {
    const FRAME_MS: u32 = 16;
    gloo::timers::callback::Timeout::new(FRAME_MS, move || {
        let found = document().and_then(|d| d.query_selector(selector).ok().flatten());
        let focused = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()).is_some_and(|element| {
            let _ = element.focus();
            document().and_then(|d| d.active_element()).is_some_and(|active| active == *element)
        });
        if !focused && tries > 1 {
            try_to_focus(selector, tries - 1);
        }
    })
    .forget();
}

/// Milliseconds since the page was opened.
pub fn now() -> f64 {
    web_sys::window().and_then(|w| w.performance()).map_or(0.0, |p| p.now())
}

/// The address's hash.
pub fn hash() -> String {
    web_sys::window().and_then(|w| w.location().hash().ok()).unwrap_or_default()
}

/// The whole address.
pub fn address() -> String {
    web_sys::window().and_then(|w| w.location().href().ok()).unwrap_or_default()
}

/// Changes the address without a new entry in the history.
pub fn replace_hash(hash: &str) {
    if let Some(history) = web_sys::window().and_then(|w| w.history().ok()) {
        // Refused in some sandboxed frames: the page works without.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("#{hash}")));
    }
}

/// Large type: a class on the root, whose font size all lengths follow.
pub fn set_present(on: bool) {
    if let Some(root) = document().and_then(|d| d.document_element()) {
        let name = if on { "present" } else { "" };
        root.set_class_name(name);
    }
}

/// Whether a key pressed in this element belongs to it: it takes text, or space presses it.
pub fn takes_keys(target: Option<web_sys::EventTarget>, key: &str) -> bool {
    let Some(element) = target.and_then(|t| t.dyn_into::<web_sys::Element>().ok()) else { return false };
    let selector = match key {
        " " => "input, select, textarea, button, a, summary, dialog *, [tabindex]",
        _ => "input:not([type=radio]):not([type=range]), select, textarea, dialog *",
    };
    element.matches(selector).unwrap_or(false)
}

/// Puts a text on the clipboard; `false` where the browser refuses.
pub async fn copy(text: &str) -> bool {
    let Some(window) = web_sys::window() else { return false };
    // `navigator.clipboard` is missing outside secure contexts, which the binding does not say.
    let clipboard = js_sys::Reflect::get(&window.navigator(), &"clipboard".into()).unwrap_or(JsValue::UNDEFINED);
    if clipboard.is_undefined() {
        return false;
    }
    JsFuture::from(clipboard.unchecked_into::<web_sys::Clipboard>().write_text(text)).await.is_ok()
}

/// Gives the visitor a file to keep.
pub fn download(name: &str, bytes: &[u8]) {
    let Some(document) = document() else { return };
    let blob = gloo::file::Blob::new(bytes);
    let url = gloo::file::ObjectUrl::from(blob);
    let Ok(link) = document.create_element("a") else { return };
    if link.set_attribute("href", &url).is_ok()
        && link.set_attribute("download", name).is_ok()
        && let Ok(link) = link.dyn_into::<web_sys::HtmlElement>()
    {
        link.click();
    }
    // The browser has to read the file before its address ends.
    gloo::timers::callback::Timeout::new(60_000, move || drop(url)).forget();
}

/// An address for a text, for as long as the page lives.
pub fn address_of(text: &str) -> Option<String> {
    let blob = gloo::file::Blob::new_with_options(text, Some("application/json"));
    web_sys::Url::create_object_url_with_blob(blob.as_ref()).ok()
}

/// A file that a visitor chose or dropped.
pub struct Chosen {
    /// What it is read from.
    pub file: web_sys::File,
    /// `folder/sub/file` where it came with its folder.
    pub path: Option<String>,
}

impl Chosen {
    /// The files of a list, as the browser's pickers fill it.
    pub fn of(list: &web_sys::FileList) -> Vec<Chosen> {
        let files = (0..list.length()).filter_map(|i| list.get(i));
        files.map(|file| Chosen { path: relative_path(&file), file }).collect()
    }
}

/// Reads what a visitor chose or dropped.
/// Weights and whatever else is too large to be held get an address instead.
pub async fn read_files(mut list: Vec<Chosen>) -> Vec<File> {
    const HELD: f64 = (256_u32 << 20) as f64;
    let mut read = Vec::new();
    // What belongs to a checkpoint may have any name beside one that tells.
    let is_checkpoint = list.iter().any(|chosen| Checkpoint::claims(&chosen.file.name()));
    // Of files of one name in a folder and below it the upper one counts.
    list.sort_by_key(|chosen| chosen.path.as_ref().map_or(0, |path| path.matches('/').count()));
    for Chosen { file, path } in &list {
        let name = file.name();
        // A folder may hold anything: what is of no use is not touched.
        let folder = path.as_ref().and_then(|path| path.split_once('/').map(|(folder, _)| folder.to_string()));
        let mut at = None;
        // An adapter is small, and read whole wherever it lies.
        let of_adapter = file.size() <= HELD && [CONFIG_FILE, MODEL_FILE].contains(&name.as_str());
        if !of_adapter && (is_checkpoint || file.size() > HELD || folder.is_some()) {
            let Ok(address) = web_sys::Url::create_object_url_with_blob(file) else { continue };
            let Some(head) = head(file).await else { continue };
            let (size, folder) = (file.size() as usize, folder.unwrap_or_default());
            at = Some(At { address, size, folder, head: Rc::new(head) });
        }
        // A file that vanished meanwhile is as good as not chosen.
        let bytes = if at.is_none() { first(file, file.size()).await } else { Some(Vec::new()) };
        if let Some(bytes) = bytes {
            read.push(File { at, ..File::new(name, bytes) });
        }
    }
    read
}

/// A file that came from elsewhere, as one that was chosen with its folder.
pub async fn file_of(blob: &web_sys::Blob, name: &str, folder: &str) -> Option<File> {
    let address = web_sys::Url::create_object_url_with_blob(blob).ok()?;
    let head = Rc::new(beginning(blob, name).await?);
    let at = At { address, size: blob.size() as usize, folder: folder.into(), head };
    Some(File { at: Some(at), ..File::new(name, Vec::new()) })
}

/// As many of a file's first bytes as are looked at before it is read.
async fn head(file: &web_sys::File) -> Option<Vec<u8>> {
    beginning(file, &file.name()).await
}

/// As many of the first bytes of a file of this name as are looked at.
async fn beginning(file: &web_sys::Blob, name: &str) -> Option<Vec<u8>> {
    let size = file.size() as u64;
    let mut head = first(file, 8.0).await?;
    loop {
        let seen = Part::seen(name, size, &head);
        if seen <= head.len() as u64 {
            return Some(head);
        }
        head = first(file, seen as f64).await?;
    }
}

/// The text of the tokenizer in a file that holds everything, by its address. Only its beginning is read.
pub async fn tokenizer_in(name: &str, url: &str) -> Option<String> {
    let response = JsFuture::from(web_sys::window()?.fetch_with_str(url)).await.ok()?;
    let response: web_sys::Response = response.dyn_into().ok()?;
    let blob: web_sys::Blob = JsFuture::from(response.blob().ok()?).await.ok()?.dyn_into().ok()?;
    let head = beginning(&blob, name).await?;
    Gguf::read(name, &head, blob.size() as u64).ok()?.tokenizer_json().ok()
}

/// The first bytes of a file, or as many as it has.
async fn first(file: &web_sys::Blob, bytes: f64) -> Option<Vec<u8>> {
    let part = file.slice_with_f64_and_f64(0.0, bytes.min(file.size())).ok()?;
    gloo::file::futures::read_as_bytes(&gloo::file::Blob::from(part)).await.ok()
}

/// `folder/sub/file` for a file that was chosen with its folder.
fn relative_path(file: &web_sys::File) -> Option<String> {
    // Not in the bindings.
    let path = js_sys::Reflect::get(file, &"webkitRelativePath".into()).ok()?.as_string()?;
    (!path.is_empty()).then_some(path)
}

fn document() -> Option<web_sys::Document> {
    web_sys::window().and_then(|w| w.document())
}
