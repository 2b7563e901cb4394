//! `cargo xtask test`: every test, natively, in headless Chromium, and end to end on the built page.

use crate::cargo::{cargo, ensure_wasm_target, refuse_rustflags, root, stage, target_dir, without_empty_rustflags};
use crate::{Options, bake, browser, site, tools};
use anyhow::{Context, Result, anyhow, bail};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Tests that passed and failed, over all stages.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    /// Stages that did not end well.
    broken: Vec<String>,
    /// What ran, with counts and seconds.
    summary: Vec<String>,
}

pub fn test(options: &Options) -> Result<()> {
    refuse_rustflags()?;
    let only = options.only.as_deref();
    if only.is_some_and(|o| !["native", "wasm", "e2e"].contains(&o)) {
        bail!("--only takes native, wasm or e2e");
    }
    let wanted = |stage: &str| only.is_none_or(|o| o == stage);
    ensure_wasm_target()?;
    stage("baking the task data", || bake::bake(&root()))?;
    let mut tally = Tally::default();
    if wanted("native") {
        tally.cargo_test("the trainer, natively", &["--profile", "ci", "--package", "peft-lab"]);
        let page = ["--profile", "ci", "--package", "peft-lab", "--no-default-features", "--features", "page", "--lib"];
        tally.cargo_test("the page's state, natively", &page);
        tally.cargo_test("xtask", &["--package", "xtask"]);
    }
    if wanted("wasm") {
        wasm(&mut tally, options);
    }
    if wanted("e2e") {
        tally.stage("end to end on the built page", |t| e2e(t, options));
    }
    tally.report()
}

impl Tally {
    fn cargo_test(&mut self, what: &str, args: &[&str]) {
        self.stage(what, |tally| tally.count(cargo(&["test", "--no-fail-fast"]).args(args)));
    }

    /// Runs a stage; later ones go on after a broken one.
    fn stage(&mut self, what: &str, work: impl FnOnce(&mut Tally) -> Result<()>) {
        let (start, before) = (Instant::now(), self.passed + self.failed);
        let end = match stage(what, || work(self)) {
            Ok(()) => "",
            Err(error) => {
                eprintln!("xtask: {what}: {error:#}");
                self.broken.push(what.to_string());
                ", not well"
            }
        };
        let tests = self.passed + self.failed - before;
        self.summary.push(format!("{what}: {tests} tests in {:.0} s{end}", start.elapsed().as_secs_f64()));
    }

    /// Runs a test command, passes its output on, and adds what its closing lines count. A run of no test is a failure.
    fn count(&mut self, command: &mut Command) -> Result<()> {
        let mut child =
            command.stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?} could not be started"))?;
        let output = child.stdout.take().ok_or_else(|| anyhow!("no output to read"))?;
        let mut ran = 0;
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            if let Some((passed, failed)) = closing_line(&line) {
                self.passed += passed;
                self.failed += failed;
                ran += passed + failed;
            }
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("{command:?} ended with {status}");
        }
        if ran == 0 {
            bail!("{command:?} ran no test");
        }
        Ok(())
    }

    fn report(self) -> Result<()> {
        println!("\n{}", self.summary.join(" · "));
        println!("{} passed, {} failed", self.passed, self.failed.max(self.broken.len()));
        match self.broken.is_empty() && self.failed == 0 {
            true => Ok(()),
            false => bail!("not everything passed: {}", self.broken.join("; ")),
        }
    }
}

/// `test result: ok. 5 passed; 0 failed; …` → (5, 0)
fn closing_line(line: &str) -> Option<(usize, usize)> {
    let rest = line.trim_start().strip_prefix("test result:")?;
    let number = |word: &str| {
        let before = rest.split(word).next()?;
        before.trim_end().rsplit(' ').next()?.parse().ok()
    };
    Some((number(" passed")?, number(" failed")?))
}

/// The trainer's core through wasm-pack: on the CPU, and at a tiny shape on software WebGPU.
fn wasm(tally: &mut Tally, options: &Options) {
    let plain = ["--profile", "ci", "--test", "browser"];
    tally.stage("the trainer in Chromium, on the CPU", |t| t.count(&mut wasm_pack(&plain)?));
    let relaxed = ["--profile", "ci", "--features", "relaxed-simd", "--test", "browser"];
    tally.stage("the same with relaxed SIMD", |t| t.count(&mut wasm_pack(&relaxed)?));
    if !options.no_gpu {
        let gpu = ["--profile", "ci", "--no-default-features", "--features", "webgpu", "--test", "browser_webgpu"];
        tally.stage("the trainer in Chromium, on WebGPU", |t| t.count(&mut wasm_pack(&gpu)?));
    }
}

/// `wasm-pack test` in headless Chromium, with the helpers it would else download before it on PATH. What follows its `--`
/// goes to `cargo build --tests` and `cargo test` alike.
fn wasm_pack(cargo_args: &[&str]) -> Result<Command> {
    let browser = browser::find()?;
    let bins = tools::build()?;
    let mut path = vec![bins.clone()];
    path.extend(browser.driver.parent().map(Into::into));
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let path = std::env::join_paths(path)?;
    let mut command = Command::new(bins.join("wasm-pack"));
    command
        .args(["--log-level", "warn", "test", "--headless", "--chrome", "--chromedriver"])
        .arg(&browser.driver)
        .args(["--mode", "no-install", "--"])
        .args(cargo_args)
        .current_dir(root())
        .env("PATH", &path)
        .env("CARGO_TARGET_DIR", target_dir())
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities(&browser)?)
        .env("WASM_BINDGEN_TEST_TIMEOUT", "1800");
    without_empty_rustflags(&mut command);
    Ok(command)
}

/// `webdriver.json`, with the browser that was found where chromedriver would look for another.
fn capabilities(browser: &browser::Browser) -> Result<PathBuf> {
    let common = root().join("webdriver.json");
    if std::env::var_os("CHROMIUM").is_none() {
        return Ok(common);
    }
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&common)?).context("webdriver.json")?;
    json["goog:chromeOptions"]["binary"] = browser.chromium.to_string_lossy().into();
    let own = target_dir().join("webdriver.json");
    std::fs::write(&own, json.to_string()).with_context(|| format!("cannot write {}", own.display()))?;
    Ok(own)
}

fn e2e(tally: &mut Tally, options: &Options) -> Result<()> {
    let browser = browser::find()?;
    let site = site::build(options)?;
    tally.count(
        cargo(&["test", "--no-fail-fast", "--profile", "ci", "--package", "e2e", "--", "--test-threads", "1"])
            .env("PEFT_LAB_DIST", &site.dist)
            .env("CHROMIUM", &browser.chromium)
            .env("CHROMEDRIVER", &browser.driver),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        let line = "test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.43s";
        assert_eq!(closing_line(line), Some((5, 1)));
        assert_eq!(closing_line("running 6 tests"), None);
    }
}
