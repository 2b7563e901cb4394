//! Serves a built site under a path of its own, and fails where a test wants it to.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};
use tiny_http::{Header, Response, StatusCode};

/// How a file does not arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    NotFound,
    /// Only the first half, as a proxy that gives up would deliver it.
    CutShort,
    /// A script that throws.
    Throws,
}

/// A running server; the site lies below `/course/week-3/`, so that only relative addresses work.
pub struct Server {
    pub address: String,
    dist: PathBuf,
    faults: Arc<Mutex<Vec<(String, Fault)>>>,
}

const PREFIX: &str = "/course/week-3/";

impl Server {
    pub fn start(dist: PathBuf) -> Server {
        let server = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
        let address = format!("http://{}{PREFIX}", server.server_addr());
        let faults: Arc<Mutex<Vec<(String, Fault)>>> = Arc::default();
        for _ in 0..4 {
            let (server, dist, faults) = (server.clone(), dist.clone(), faults.clone());
            std::thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    let url = request.url().split(['?', '#']).next().unwrap_or_default().to_string();
                    let fault =
                        faults.lock().unwrap().iter().find(|(part, _)| url.contains(part.as_str())).map(|(_, f)| *f);
                    let _ = request.respond(answer(&url, &dist, fault));
                }
            });
        }
        Server { address, dist, faults }
    }

    /// The name of a built file, by its beginning and end.
    pub fn file(&self, start: &str, end: &str) -> Option<String> {
        let names =
            std::fs::read_dir(&self.dist).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names.into_iter().find(|name| name.starts_with(start) && name.ends_with(end))
    }

    /// From now on, addresses that contain `part` fail.
    pub fn fail(&self, part: &str, fault: Fault) {
        self.faults.lock().unwrap().push((part.into(), fault));
    }

    /// Whether the site came from `cargo xtask build --no-gpu`.
    pub fn has_no_gpu_trainer(&self) -> bool {
        let assets = std::fs::read_to_string(self.dist.join("assets.json")).unwrap_or_default();
        !assets.contains("\"gpu_status\":\"ready\"")
    }

    /// Everything arrives again.
    pub fn heal(&self) {
        self.faults.lock().unwrap().clear();
    }
}

fn answer(url: &str, dist: &Path, fault: Option<Fault>) -> Response<std::io::Cursor<Vec<u8>>> {
    let missing = || Response::from_string("no such file").with_status_code(StatusCode(404));
    let Some(path) = url.strip_prefix(PREFIX) else { return missing() };
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    if fault == Some(Fault::NotFound) || !path.components().all(|c| matches!(c, Component::Normal(_))) {
        return missing();
    }
    let Ok(mut contents) = std::fs::read(dist.join(path)) else { return missing() };
    match fault {
        Some(Fault::CutShort) => contents.truncate(contents.len() / 2),
        Some(Fault::Throws) => contents = b"throw new Error('out of order');".to_vec(),
        _ => {}
    }
    let mime = match path.extension().and_then(|e| e.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    let header = |field: &str, value: &str| Header::from_bytes(field, value).unwrap();
    // A healed file must be asked for again.
    Response::from_data(contents)
        .with_header(header("Content-Type", mime))
        .with_header(header("Cache-Control", "no-store"))
}
