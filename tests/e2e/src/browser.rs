//! Browsers that are started once and lent to one test after the other.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;
use thirtyfour::ChromeCapabilities;
use thirtyfour::prelude::*;

/// A browser with its driver.
pub struct Browser {
    pub driver: WebDriver,
    chromedriver: Child,
    port: u16,
    /// Whether software WebGPU is switched on.
    webgpu: bool,
}

/// Browsers that no test uses.
static IDLE: Mutex<Vec<Browser>> = Mutex::new(Vec::new());

/// A single command takes less, even where all cores are busy.
const PATIENCE: Duration = Duration::from_secs(120);

fn idle() -> MutexGuard<'static, Vec<Browser>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Browser {
    /// One that is idle, or a new one.
    pub async fn lend(webgpu: bool) -> Browser {
        let found = {
            let mut idle = idle();
            idle.iter().position(|browser| browser.webgpu == webgpu).map(|i| idle.swap_remove(i))
        };
        match found {
            Some(browser) => browser,
            None => Browser::start(webgpu).await,
        }
    }

    /// Keeps the browser for another test.
    pub fn give_back(self) {
        static ENDS: Once = Once::new();
        // The test harness ends the process without dropping what is static.
        ENDS.call_once(|| {
            atexit(end_all);
        });
        idle().push(self);
    }

    /// The process whose descendants are the browser's.
    pub fn process(&self) -> u32 {
        self.chromedriver.id()
    }

    /// A tab that nobody has used, alone: what another test left in its own ends with it.
    pub async fn fresh_tab(&self) -> WebDriverResult<()> {
        let used = self.driver.windows().await?;
        let tab = self.driver.new_tab().await?;
        for window in used {
            self.driver.switch_to_window(window).await?;
            self.driver.close_window().await?;
        }
        self.driver.switch_to_window(tab).await?;
        // Reading the log takes away what is in it.
        self.driver.browser_log().await.map(drop)
    }

    async fn start(webgpu: bool) -> Browser {
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
            "--no-proxy-server",
            // A request to any other host ends as an error on the console.
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        ];
        if webgpu {
            flags.extend(["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]);
        }
        for flag in flags {
            capabilities.add_arg(flag).unwrap();
        }
        capabilities.set_browser_log_level(thirtyfour::LoggingPrefsLogLevel::Severe).expect("a plain capability");
        let driver = connect(&format!("http://127.0.0.1:{port}"), capabilities).await;
        Browser { driver, chromedriver, port, webgpu }
    }

    fn end(&mut self) {
        // A session that is left is ended by the shutdown below; the driver would otherwise try for two minutes.
        let _ = self.driver.clone().leak();
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

impl Drop for Browser {
    fn drop(&mut self) {
        self.end();
    }
}

// SAFETY: `atexit` of the C library, which std stands on, with the signature that the standard gives it.
unsafe extern "C" {
    safe fn atexit(callback: extern "C" fn()) -> i32;
}

extern "C" fn end_all() {
    idle().clear();
}

/// Waits for chromedriver to listen.
async fn connect(address: &str, capabilities: ChromeCapabilities) -> WebDriver {
    let mut last = None;
    for _ in 0..200 {
        // Tests have a runtime each: a connection that one of them leaves open ends with it, while another may write to it.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(PATIENCE).build();
        let client = client.expect("a client without TLS");
        match WebDriver::builder(address, capabilities.clone()).client(client).connect().await {
            Ok(driver) => return driver,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("chromedriver does not answer at {address}: {last:?}")
}
