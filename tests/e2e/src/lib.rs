//! A browser on the built page: a static server that can be told to fail, chromedriver, and what tests ask of a page.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "an end-to-end test fails where the page does not answer")]

mod browser;
mod server;

use browser::Browser;

pub use server::{Fault, Server};

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use thirtyfour::prelude::*;

/// Longer than anything takes on software WebGPU and a busy machine: tests wait for events, not for this.
/// `PEFT_LAB_PATIENCE` (seconds) shortens it for those who write tests.
fn patience() -> Duration {
    let wish = std::env::var("PEFT_LAB_PATIENCE").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(wish.unwrap_or(420))
}

/// One look at the page.
const ROUND: Duration = Duration::from_secs(20);

/// Collects the page's events and uncaught errors from before its first script on, and finds controls by their names.
const LISTEN: &str = r#"
window.labEvents = []; window.labErrors = [];
window.addEventListener("peft-lab", e => window.labEvents.push(e.detail));
window.addEventListener("error", e => window.labErrors.push(String(e.message)));
window.addEventListener("unhandledrejection", e => window.labErrors.push(String(e.reason)));
window.labControl = name => [...document.querySelectorAll("button, input, select, summary")].find(e =>
  !e.disabled && (e.getClientRects().length || e.type === "radio") &&
  (e.getAttribute("aria-label") || e.labels?.[0]?.innerText || (e.matches("summary") ? e.firstChild.data : e.innerText) || "").trim() === name);
window.labAlert = () => [...document.querySelectorAll("[role=alert]")].map(e => e.innerText).join("\n");
window.labLive = () => [...document.querySelectorAll("tbody tr")].map(e => e.innerText).filter(t => t.includes("live"));
"#;

/// One page in a browser, one server.
pub struct Lab {
    /// The tab with the page.
    pub driver: WebDriver,
    /// Serves the page.
    pub server: Server,
    /// Ends with a test that did not reach its own end: who knows what it left.
    browser: Browser,
    /// Errors on the browser's console so far; reading them there takes them away.
    console: Mutex<Vec<String>>,
}

impl Lab {
    /// A fresh page in a browser, which another test may have used, and a server of its own: a new port is a new origin, without
    /// storage and without a cache. `webgpu` switches software WebGPU on.
    pub async fn start(webgpu: bool) -> Lab {
        let dist = std::env::var_os("PEFT_LAB_DIST")
            .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../dist")), PathBuf::from);
        assert!(dist.join("index.html").is_file(), "{} holds no site: run `cargo xtask build` first", dist.display());
        let server = Server::start(dist);
        let browser = Browser::lend(webgpu).await;
        browser.fresh_tab().await.expect("a tab of its own");
        let driver = browser.driver.clone();
        driver.set_script_timeout(patience().max(3 * ROUND)).await.unwrap();
        driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", json!({"source": LISTEN})).await.unwrap();
        let lab = Lab { driver, server, browser, console: Mutex::default() };
        lab.viewport(1280, 800, false).await;
        lab
    }

    /// The size of the page itself, whatever frame the window has.
    pub async fn viewport(&self, width: u32, height: u32, mobile: bool) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await.unwrap();
    }

    /// Opens the page under a hash as one that was never there, and waits until the trainer answers (or says that it cannot).
    pub async fn open(&self, hash: &str) {
        self.driver.goto("about:blank").await.unwrap();
        let storage = json!({"origin": self.server.address.trim_end_matches('/'), "storageTypes": "indexeddb"});
        self.driver.cdp().send_raw("Storage.clearDataForOrigin", storage).await.unwrap();
        self.reopen(hash).await;
    }

    /// The same with what it has kept.
    pub async fn reopen(&self, hash: &str) {
        self.driver.goto("about:blank").await.unwrap();
        self.driver.goto(format!("{}#{hash}", self.server.address)).await.unwrap();
        self.wait("labEvents.some(e => e.event === 'ready' || e.event === 'failed')").await;
    }

    /// Runs a script in every page of this tab before its own.
    pub async fn before_scripts(&self, script: &str) {
        let source = json!({"source": script});
        self.driver.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", source).await.unwrap();
    }

    /// Turns to a tab of its own beside the present one, which goes on.
    pub async fn another_tab(&self) -> WindowHandle {
        let tab = self.driver.new_tab().await.unwrap();
        self.turn_to(&tab).await;
        self.before_scripts(LISTEN).await;
        self.viewport(1280, 800, false).await;
        tab
    }

    /// Turns to a tab.
    pub async fn turn_to(&self, tab: &WindowHandle) {
        self.driver.switch_to_window(tab.clone()).await.unwrap();
    }

    /// The present tab crashes: nothing in it has the time for a word. Another one is opened in its place.
    pub async fn kill_tab(&self) {
        let killed = self.driver.window().await.unwrap();
        let next = self.driver.new_tab().await.unwrap();
        // Its answer is that it is gone.
        let _ = self.driver.cdp().send_raw("Page.crash", json!({})).await;
        self.turn_to(&next).await;
        self.before_scripts(LISTEN).await;
        self.viewport(1280, 800, false).await;
        assert_ne!(killed, next);
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
        while start.elapsed() < patience() {
            let value = self.driver.execute_async(script.as_str(), vec![]).await.unwrap().json().clone();
            if !value.is_null() {
                return value;
            }
        }
        let seen =
            self.eval("JSON.stringify(labEvents.slice(-8)) + '\\n' + document.body.innerText.slice(0, 1500)").await;
        // A trainer that panics says so there.
        let console = self.console().await.join("\n");
        panic!("never held: {expression}\n{console}\n{}", seen.as_str().unwrap_or_default());
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

    /// The control of an accessible name, as soon as it is there and can be used.
    pub async fn control(&self, name: &str) -> WebElement {
        let find = format!("labControl({})", json!(name));
        self.wait(&format!("!!{find}")).await;
        self.driver.execute(format!("return {find};"), vec![]).await.unwrap().element().unwrap()
    }

    /// Presses the button of a name, as soon as it can be pressed. One that is drawn anew in that moment is
    /// looked for again.
    pub async fn press(&self, name: &str) {
        let start = Instant::now();
        loop {
            match self.control(name).await.click().await {
                Err(e) if is_gone(&e) && start.elapsed() < patience() => {}
                pressed => return pressed.unwrap(),
            }
        }
    }

    /// Chooses the method of a name.
    pub async fn choose(&self, method: &str) {
        let radio = self.control(method).await;
        // The circle may be drawn by its label.
        self.driver
            .execute("(arguments[0].closest('label') || arguments[0]).click();", vec![radio.to_json().unwrap()])
            .await
            .unwrap();
    }

    /// Types into the field of a name, in place of what is there.
    pub async fn type_into(&self, name: &str, text: &str) {
        let field = self.control(name).await;
        field.send_keys(Key::Control + "a").await.unwrap();
        field.send_keys(Key::Backspace + text).await.unwrap();
    }

    /// Chooses in the list of a name by value.
    pub async fn select(&self, name: &str, value: &str) {
        let start = Instant::now();
        loop {
            let chosen = async {
                let list = self.control(name).await;
                list.find(By::Css(format!("option[value='{value}']"))).await?.click().await
            };
            match chosen.await {
                Err(e) if is_gone(&e) && start.elapsed() < patience() => {}
                chosen => return chosen.unwrap(),
            }
        }
    }

    /// Drops files on the page, by name and contents.
    pub async fn drop_files(&self, files: &[(&str, Vec<u8>)]) {
        let files: Vec<Value> = files.iter().map(|(name, bytes)| json!({"name": name, "bytes": bytes})).collect();
        let script = "const data = new DataTransfer(); \
            for (const f of arguments[0]) data.items.add(new File([new Uint8Array(f.bytes)], f.name)); \
            window.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));";
        self.driver.execute(script, vec![json!(files)]).await.unwrap();
    }

    /// Presses a key with the focus nowhere.
    pub async fn key(&self, key: &str) {
        self.eval("document.activeElement.blur()").await;
        self.driver.action_chain().send_keys(key).perform().await.unwrap();
    }

    /// Waits for an alert that contains a text; returns all alerts.
    pub async fn alert(&self, part: &str) -> String {
        let text = self.wait(&format!("labAlert().includes({}) && labAlert()", json!(part))).await;
        text.as_str().unwrap_or_default().to_string()
    }

    /// As if the machine slept: all processes of the browser stand still for so long. Where there is no `/proc` to find them in, nothing happens,
    /// and the answer is no.
    pub async fn machine_sleeps(&self, duration: Duration) -> bool {
        let browser = descendants(self.browser.process());
        assert!(!browser.is_empty() || !cfg!(target_os = "linux"), "chromedriver has no browser");
        signal("-STOP", &browser);
        tokio::time::sleep(duration).await;
        signal("-CONT", &browser);
        !browser.is_empty()
    }

    /// How many events of a kind there were.
    pub async fn count(&self, kind: &str) -> u64 {
        self.eval(&format!("labEvents.filter(e => e.event === '{kind}').length")).await.as_u64().unwrap_or_default()
    }

    /// Saves what the page looks like, where `PEFT_LAB_SCREENSHOTS` names a folder.
    pub async fn screenshot(&self, name: &str) {
        if let Some(folder) = std::env::var_os("PEFT_LAB_SCREENSHOTS") {
            std::fs::create_dir_all(&folder).unwrap();
            self.driver.screenshot(&Path::new(&folder).join(format!("{name}.png"))).await.unwrap();
        }
    }

    /// The module that wasm-bindgen wrote for a trainer (`worker`, `worker-gpu`).
    pub fn core_script(&self, worker: &str) -> String {
        self.server.file(&format!("{worker}-core-"), ".js").unwrap_or_else(|| panic!("the site has no {worker}"))
    }

    /// The text that the page shows.
    pub async fn text(&self) -> String {
        self.eval("document.body.innerText").await.as_str().unwrap_or_default().to_string()
    }

    /// Errors on the console so far, of the page and of its workers.
    pub async fn console(&self) -> Vec<String> {
        let new = self.driver.browser_log().await.unwrap();
        let mut console = self.console.lock().unwrap();
        console.extend(new.into_iter().filter(|e| e.level == "SEVERE").map(|e| e.message));
        console.clone()
    }

    /// What a page that nobody disturbs must not do: complain, ask another host, ask for what is not there.
    pub async fn assert_clean(&self) {
        assert_eq!(self.eval("labErrors").await, json!([]), "uncaught errors");
        assert_eq!(self.console().await, [""; 0], "the console has errors");
        let resources = self.eval("performance.getEntriesByType('resource').map(r => r.name)").await;
        let requests = self.server.requests();
        for resource in resources.as_array().into_iter().flatten().filter_map(Value::as_str) {
            // The icon is part of the page, and so is what the visitor brought.
            if !resource.starts_with("data:") && !resource.starts_with("blob:") {
                assert!(resource.starts_with(&self.server.address), "a request left the site: {resource}");
                assert!(requests.iter().any(|(path, _)| resource.ends_with(path)), "the server did not see {resource}");
            }
        }
        let missing: Vec<_> = requests.into_iter().filter(|(_, status)| *status != 200).collect();
        assert_eq!(missing, [], "requests for files that are not there");
    }

    /// Gives the browser back. Whatever a test did, nothing may have panicked.
    pub async fn close(self) {
        let panics: Vec<String> = self.console().await.into_iter().filter(|m| m.contains("panicked")).collect();
        assert_eq!(panics, [""; 0], "something panicked");
        // What still runs on the page would take time from the next test.
        self.driver.goto("about:blank").await.unwrap();
        self.browser.give_back();
    }
}

/// Whether the page had drawn the control anew before the driver reached it.
fn is_gone(error: &WebDriverError) -> bool {
    format!("{error:?}").contains("StaleElementReference")
}

/// The processes that a process started, and those that they did.
fn descendants(of: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let parents: Vec<(u32, u32)> = processes
        .filter_map(|process| {
            let id = process.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
            // The name may hold anything; behind its bracket stand the state and the parent.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((id, parent))
        })
        .collect();
    let mut found = vec![of];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, p)| *p == parent).map(|(id, _)| *id));
        next += 1;
    }
    found.split_off(1)
}

fn signal(signal: &str, processes: &[u32]) {
    if !processes.is_empty() {
        let ids = processes.iter().map(u32::to_string);
        // One of them may have ended meanwhile: then `kill` says so, and the others have it all the same.
        let _ = Command::new("kill").arg(signal).args(ids).stderr(Stdio::null()).status();
    }
}
