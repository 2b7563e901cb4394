//! Serves a built site under a path of its own, and fails where a test wants it to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tiny_http::{Header, Request, Response, StatusCode};

/// What goes wrong with a file on its way.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Status 404.
    NotFound,
    /// Only the first half, as if that were all: what a proxy that gives up delivers.
    CutShort,
    /// The connection breaks after the first half.
    Broken,
    /// Nothing at all until the server is healed.
    Held,
    /// The file arrives with this script in front.
    Before(&'static str),
}

/// A running server; the site lies below `/course/week-3/`, so that only relative addresses work.
pub struct Server {
    /// The address of the page.
    pub address: String,
    dist: PathBuf,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    faults: Mutex<Vec<(String, Fault)>>,
    healed: Condvar,
    requests: Mutex<Vec<(String, u16)>>,
    /// Files in place of the folder's, or beside them.
    given: Mutex<BTreeMap<String, Vec<u8>>>,
}

const PREFIX: &str = "/course/week-3/";

impl Server {
    /// Serves on a free port until the test ends.
    pub fn start(dist: PathBuf) -> Server {
        let server = Arc::new(tiny_http::Server::http("127.0.0.1:0").expect("a free port to serve on"));
        let address = format!("http://{}{PREFIX}", server.server_addr());
        let state: Arc<State> = Arc::default();
        {
            let (dist, state) = (dist.clone(), state.clone());
            std::thread::spawn(move || {
                // A thread each: a held file must not hold the others.
                while let Ok(request) = server.recv() {
                    let (dist, state) = (dist.clone(), state.clone());
                    // A browser that hangs up in the middle is no fault of ours.
                    std::thread::spawn(move || drop(state.answer(request, &dist)));
                }
            });
        }
        Server { address, dist, state }
    }

    /// The manifest of the built site.
    pub fn manifest(&self) -> Value {
        let text = std::fs::read_to_string(self.dist.join("assets.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The name of a built file, by its beginning and end.
    pub fn file(&self, start: &str, end: &str) -> Option<String> {
        let names =
            std::fs::read_dir(&self.dist).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names.into_iter().find(|name| name.starts_with(start) && name.ends_with(end))
    }

    /// Whether the site came from `cargo xtask build --no-gpu`.
    pub fn has_no_gpu_trainer(&self) -> bool {
        self.manifest()["gpu_status"] != "ready"
    }

    /// Serves a file beside those of the folder.
    pub fn give(&self, name: &str, contents: &[u8]) {
        lock(&self.state.given).insert(name.into(), contents.into());
    }

    /// Offers a large file in parts, in place of what the site has of it, under addresses that end in `1.part`, `2.part`, ….
    pub fn offer_in_parts(&self, name: &str, parts: &[Vec<u8>]) {
        let mut given = lock(&self.state.given);
        let listed = parts.iter().zip(1..).map(|(contents, n)| {
            let file = format!("{name}-{n}.part");
            let integrity = format!("sha256-{}", STANDARD.encode(Sha256::digest(contents)));
            given.insert(file.clone(), contents.clone());
            json!({"file": file, "bytes": contents.len(), "integrity": integrity})
        });
        let listed: Vec<Value> = listed.collect();
        let before = std::fs::read_to_string(self.dist.join("assets.json")).unwrap_or_default();
        let mut manifest = self.manifest();
        manifest["parts"] = json!({ name: listed });
        manifest["base_status"] = "ready".into();
        let index = std::fs::read_to_string(self.dist.join("index.html")).unwrap_or_default();
        let index = index.replace(&before.replace("</", "<\\/"), &manifest.to_string().replace("</", "<\\/"));
        given.insert("index.html".into(), index.into_bytes());
        given.insert("assets.json".into(), manifest.to_string().into_bytes());
    }

    /// From now on, addresses that contain `part` fail.
    pub fn fail(&self, part: &str, fault: Fault) {
        lock(&self.state.faults).push((part.into(), fault));
    }

    /// Everything arrives again, what was held included.
    pub fn heal(&self) {
        lock(&self.state.faults).clear();
        self.state.healed.notify_all();
    }

    /// The paths that were asked for so far, with the status that was answered.
    pub fn requests(&self) -> Vec<(String, u16)> {
        lock(&self.state.requests).clone()
    }

    /// How often an address that contains `part` was asked for.
    pub fn count(&self, part: &str) -> usize {
        self.requests().iter().filter(|(path, _)| path.contains(part)).count()
    }
}

impl State {
    fn answer(&self, request: Request, dist: &Path) -> std::io::Result<()> {
        let url = request.url().split(['?', '#']).next().unwrap_or_default().to_string();
        let fault = self.fault(&url);
        let file = url.strip_prefix(PREFIX).map(|path| if path.is_empty() { "index.html" } else { path });
        let file = file.map(Path::new).filter(|path| path.components().all(|c| matches!(c, Component::Normal(_))));
        let given = |path: &Path| lock(&self.given).get(path.to_str()?).cloned();
        let contents = file.and_then(|path| Some((path, given(path).or_else(|| std::fs::read(dist.join(path)).ok())?)));
        let contents = contents.filter(|_| fault != Some(Fault::NotFound));
        lock(&self.requests).push((url.clone(), if contents.is_some() { 200 } else { 404 }));
        let Some((path, mut contents)) = contents else {
            return request.respond(Response::from_string("There is no such file.").with_status_code(StatusCode(404)));
        };
        let mime = mime(path);
        match fault {
            Some(Fault::CutShort) => contents.truncate(contents.len() / 2),
            Some(Fault::Broken) => return break_off(request, mime, &contents[..contents.len() / 2]),
            Some(Fault::Before(script)) => contents.splice(..0, script.bytes()).for_each(drop),
            _ => {}
        }
        let header = |field: &str, value: &str| Header::from_bytes(field, value).expect("a plain header");
        // A healed file must be asked for again.
        let headers = vec![header("Content-Type", mime), header("Cache-Control", "no-store")];
        let length = contents.len();
        request.respond(Response::new(StatusCode(200), headers, Cursor::new(contents), Some(length), None))
    }

    /// The fault of an address, once it no longer waits.
    fn fault(&self, url: &str) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        loop {
            let fault = faults.iter().find(|(part, _)| url.contains(part.as_str())).map(|(_, f)| f.clone());
            if fault != Some(Fault::Held) {
                return fault;
            }
            faults = self.healed.wait(faults).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Sends a part in good order, then something that is no chunk: the browser sees a transfer that broke.
fn break_off(request: Request, mime: &str, part: &[u8]) -> std::io::Result<()> {
    let mut writer = request.into_writer();
    write!(
        writer,
        "HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        part.len()
    )?;
    writer.write_all(part)?;
    writer.write_all(b"\r\nbroken\r\n")?;
    writer.flush()
}

fn mime(path: &Path) -> &'static str {
    match path.extension().and_then(|e| e.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

/// A panic in one thread leaves a list that can still be read.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
