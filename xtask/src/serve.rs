//! A small static server for `dist/`, on this machine only.

use crate::cargo::root;
use crate::compress::with_ending;
use crate::flags;
use crate::site;
use anyhow::{Result, anyhow};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use tiny_http::{Header, Request, Response, Server, StatusCode};

/// Builds page and CPU trainer, serves and opens them. Behind them it takes the large base and builds the WebGPU trainer.
pub fn serve(flags: &flags::Serve) -> Result<()> {
    let mut site = site::build_without_gpu(if flags.no_gpu { "absent" } else { "building" }, "building")?;
    let address = start(&root().join("dist"), flags.port)?;
    println!("PEFT Lab is at {address}");
    if !flags.no_open && opener::open(&address).is_err() {
        println!("No browser could be opened from here: open the address yourself.");
    }
    if let Err(error) = site.add_base() {
        eprintln!("xtask: SmolLM2 could not be put on the site, the page goes on without it: {error:#}");
        site.without_base()?;
    }
    if !flags.no_gpu {
        match site.add_gpu() {
            Ok(()) => println!("The WebGPU trainer is ready; the page offers it by itself."),
            Err(error) => {
                eprintln!("xtask: the WebGPU trainer could not be built, the page goes on with the CPU: {error:#}");
                site.without_gpu()?;
            }
        }
    }
    loop {
        std::thread::park();
    }
}

/// Serves a folder from four threads; returns the address.
pub fn start(dist: &Path, port: Option<u16>) -> Result<String> {
    // Without a wish: 8080, or any free port where that is taken.
    let server = match port {
        Some(port) => Server::http(("127.0.0.1", port)),
        None => Server::http("127.0.0.1:8080").or_else(|_| Server::http("127.0.0.1:0")),
    };
    let server = Arc::new(server.map_err(|e| anyhow!("no port to serve on: {e}. Choose another with --port N"))?);
    let address = format!("http://{}/", server.server_addr());
    for _ in 0..4 {
        let (server, dist) = (server.clone(), dist.to_path_buf());
        std::thread::spawn(move || {
            while let Ok(request) = server.recv() {
                // A browser that hangs up in the middle is no fault of ours.
                let _ = answer(request, &dist);
            }
        });
    }
    Ok(address)
}

fn answer(request: Request, dist: &Path) -> std::io::Result<()> {
    let Some(path) = file_for(request.url(), dist).filter(|p| p.is_file()) else {
        return request.respond(Response::from_string("There is no such file.").with_status_code(StatusCode(404)));
    };
    let accepts = |encoding: &str| {
        let mut accepted = request.headers().iter().filter(|h| h.field.equiv("Accept-Encoding"));
        accepted.any(|h| h.value.as_str().split(',').any(|one| one.split(';').next().map(str::trim) == Some(encoding)))
    };
    // The smallest form that the browser takes.
    let forms = [("br", with_ending(&path, "br")), ("gzip", with_ending(&path, "gz"))];
    let form = forms.into_iter().find(|(encoding, file)| accepts(encoding) && file.is_file());
    let contents = std::fs::read(form.as_ref().map_or(&path, |(_, file)| file))?;
    let mut response = Response::from_data(contents);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // The two names that stay must be asked for again; the others change with their contents.
    let caching =
        if name == "index.html" || name == "assets.json" { "no-cache" } else { "public, max-age=31536000, immutable" };
    let mut headers = vec![("Content-Type", mime(&name)), ("Cache-Control", caching), ("Vary", "Accept-Encoding")];
    if let Some((encoding, _)) = form {
        headers.push(("Content-Encoding", encoding));
    }
    for (field, value) in headers {
        if let Ok(header) = Header::from_bytes(field, value) {
            response.add_header(header);
        }
    }
    request.respond(response)
}

/// The file of a request's path, `None` for one that would leave the folder.
fn file_for(url: &str, dist: &Path) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    path.components().all(|c| matches!(c, Component::Normal(_))).then(|| dist.join(path))
}

fn mime(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "jsonl" => "application/x-ndjson; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn no_path_leaves_the_folder() {
        let dist = Path::new("dist");
        assert_eq!(file_for("/", dist), Some(dist.join("index.html")));
        assert_eq!(file_for("/models/a.bin?x#y", dist), Some(dist.join("models/a.bin")));
        assert_eq!(file_for("//etc/passwd", dist), Some(dist.join("etc/passwd")));
        for url in ["/../Cargo.toml", "/models/../../Cargo.toml", "//etc/../../passwd"] {
            assert_eq!(file_for(url, dist), None, "{url}");
        }
    }

    #[test]
    fn wasm_is_served_as_wasm() {
        assert_eq!(mime("app_bg-0.wasm"), "application/wasm");
        assert_eq!(mime("worker-0.js"), "text/javascript; charset=utf-8");
        assert_eq!(mime("model-0.safetensors"), "application/octet-stream");
    }

    #[test]
    fn a_browser_gets_the_smallest_form_that_it_takes_and_asks_again_only_for_the_names_that_stay() {
        let dist = std::env::temp_dir().join(format!("xtask-serve-{}", std::process::id()));
        std::fs::create_dir_all(&dist).unwrap();
        for (name, contents) in
            [("index.html", "page"), ("a-0.js", "script"), ("a-0.js.gz", "zipped"), ("a-0.js.br", "small")]
        {
            std::fs::write(dist.join(name), contents).unwrap();
        }
        let address = start(&dist, Some(0)).unwrap();
        let get = |path: &str, extra: &str| {
            let host = address.trim_start_matches("http://").trim_end_matches('/');
            let mut stream = std::net::TcpStream::connect(host).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{extra}\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let page = get("/", "");
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("no-cache") && page.ends_with("page"), "{page}");
        let script = get("/a-0.js", "");
        assert!(script.contains("immutable") && script.ends_with("script"), "{script}");
        let small = get("/a-0.js", "Accept-Encoding: gzip, br;q=0.9\r\n");
        assert!(small.contains("Content-Encoding: br") && small.ends_with("small"), "{small}");
        let zipped = get("/a-0.js", "Accept-Encoding: gzip, deflate\r\n");
        assert!(zipped.contains("Content-Encoding: gzip") && zipped.ends_with("zipped"), "{zipped}");
        assert!(get("/../secret", "").starts_with("HTTP/1.1 404"));
        std::fs::remove_dir_all(&dist).unwrap();
    }
}
