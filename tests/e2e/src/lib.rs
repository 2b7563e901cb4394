//! A browser on the built page: a static server that can be told to fail, chromedriver, and what tests ask of a page.

mod server;

pub use server::{Fault, Server};

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use thirtyfour::ChromeCapabilities;
use thirtyfour::prelude::*;

/// Longer than anything takes on software WebGPU and a busy machine: tests wait for events, not for this.
const PATIENCE: Duration = Duration::from_secs(420);

/// One look at the page.
const ROUND: Duration = Duration::from_secs(20);

/// Collects the page's events and complaints from before its first script on.
const LISTEN: &str = r#"
window.labEvents = []; window.labErrors = [];
window.addEventListener("peft-lab", e => window.labEvents.push(e.detail));
window.addEventListener("error", e => window.labErrors.push(String(e.message)));
window.addEventListener("unhandledrejection", e => window.labErrors.push(String(e.reason)));
const complain = console.error; console.error = (...a) => { window.labErrors.push(a.map(String).join(" ")); complain(...a); };
"#;

/// One browser, one page, one server.
pub struct Lab {
    pub driver: WebDriver,
    pub server: Server,
    chromedriver: Child,
    port: u16,
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Asked to shut down, chromedriver closes its browsers; killed, it would leave them running.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
            let _ = stream.read(&mut [0; 64]);
        }
        let _ = self.chromedriver.kill();
        let _ = self.chromedriver.wait();
    }
}

impl Lab {
    /// Starts everything; `webgpu` switches software WebGPU on.
    pub async fn start(webgpu: bool) -> Lab {
        let dist = std::env::var_os("PEFT_LAB_DIST")
            .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../dist")), PathBuf::from);
        assert!(dist.join("index.html").is_file(), "{} holds no site: run `cargo xtask build` first", dist.display());
        let server = Server::start(dist);

        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let name = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".into());
        let chromedriver = Command::new(&name)
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| {
                panic!("{name} could not be started ({e}): install chromium-driver or set CHROMEDRIVER")
            });

        let mut capabilities = DesiredCapabilities::chrome();
        if let Ok(path) = std::env::var("CHROMIUM") {
            capabilities.set_binary(&path).unwrap();
        }
        let mut flags = vec![
            "--headless",
            "--no-sandbox",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,800",
        ];
        if webgpu {
            flags.extend(["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]);
        }
        for flag in flags {
            capabilities.add_arg(flag).unwrap();
        }
        let address = format!("http://127.0.0.1:{port}");
        let driver = connect(&address, capabilities).await;
        driver.set_script_timeout(PATIENCE).await.unwrap();
        driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({"source": LISTEN})).await.unwrap();
        let lab = Lab { driver, server, chromedriver, port };
        lab.viewport(1280, 800, false).await;
        lab
    }

    /// The size of the page itself, whatever frame the window has.
    pub async fn viewport(&self, width: u32, height: u32, mobile: bool) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await.unwrap();
    }

    /// Opens the page anew under a hash, and waits until the trainer answers (or says that it cannot).
    pub async fn open(&self, hash: &str) {
        self.driver.goto("about:blank").await.unwrap();
        self.driver.goto(format!("{}#{hash}", self.server.address)).await.unwrap();
        self.wait("labEvents.some(e => e.event === 'ready' || e.event === 'failed')").await;
    }

    /// The value of an expression in the page.
    pub async fn eval(&self, expression: &str) -> Value {
        self.driver.execute(format!("return ({expression});"), vec![]).await.unwrap().json().clone()
    }

    /// Waits until an expression holds; returns its value. Fails with the page's text and events where it never does.
    pub async fn wait(&self, expression: &str) -> Value {
        // In rounds: the driver's own connection gives a single command two minutes.
        let script = format!(
            "const done = arguments[0], end = performance.now() + {}; \
             const check = () => {{ let value = false; try {{ value = ({expression}); }} catch (e) {{}} \
             if (value || performance.now() > end) done(value || null); else setTimeout(check, 20); }}; check();",
            ROUND.as_millis()
        );
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let value = self.driver.execute_async(script.as_str(), vec![]).await.unwrap().json().clone();
            if !value.is_null() {
                return value;
            }
        }
        let seen =
            self.eval("JSON.stringify(labEvents.slice(-8)) + '\\n' + document.body.innerText.slice(0, 1500)").await;
        panic!("never held: {expression}\n{}", seen.as_str().unwrap_or_default());
    }

    /// Waits for an event of a kind and returns the first, of a run where one is named.
    pub async fn event(&self, kind: &str) -> Value {
        self.wait(&format!("labEvents.find(e => e.event === '{kind}')")).await
    }

    /// The losses of a run's steps.
    pub async fn losses(&self, run: &Value) -> Vec<f64> {
        let losses =
            self.eval(&format!("labEvents.filter(e => e.event === 'step' && e.run === {run}).map(e => e.loss)")).await;
        losses.as_array().unwrap().iter().filter_map(Value::as_f64).collect()
    }

    /// Presses the button of a name, as soon as it can be pressed.
    pub async fn press(&self, name: &str) {
        let find = format!(
            "[...document.querySelectorAll('button')].find(b => !b.disabled && b.getClientRects().length && (b.getAttribute('aria-label') || b.innerText.trim()) === '{name}')"
        );
        self.wait(&format!("!!{find}")).await;
        let button = self.driver.execute(format!("return {find};"), vec![]).await.unwrap().element().unwrap();
        button.click().await.unwrap();
    }

    /// The module that wasm-bindgen wrote for a trainer (`worker`, `worker-gpu`).
    pub fn core_script(&self, worker: &str) -> String {
        self.server.file(&format!("{worker}-core-"), ".js").unwrap_or_else(|| panic!("the site has no {worker}"))
    }

    /// The text that the page shows.
    pub async fn text(&self) -> String {
        self.eval("document.body.innerText").await.as_str().unwrap_or_default().to_string()
    }

    /// What no test wants to see: script errors, and requests to another host.
    pub async fn assert_clean(&self) {
        let errors = self.eval("labErrors").await;
        assert_eq!(errors, json!([]), "the console has errors");
        let foreign = self.eval("performance.getEntriesByType('resource').map(r => r.name).filter(n => !n.startsWith(location.origin) && !n.startsWith('data:'))").await;
        assert_eq!(foreign, json!([]), "requests went to another host");
    }

    /// Ends the browser in good order.
    pub async fn close(self) {
        let _ = self.driver.clone().quit().await;
    }
}

/// Waits for chromedriver to listen.
async fn connect(address: &str, capabilities: ChromeCapabilities) -> WebDriver {
    let mut last = None;
    for _ in 0..200 {
        match WebDriver::new(address, capabilities.clone()).await {
            Ok(driver) => return driver,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("chromedriver does not answer at {address}: {last:?}")
}
