//! What is tested, and how each stage's test programs are built.

use super::program::{Output, Program, binaries};
use crate::cargo::{root, stage, target_dir};
use crate::flags::Part;
use crate::{browser, site, tools};
use anyhow::{Context as _, Result};
use std::path::PathBuf;

/// A build and the test programs that come out of it, in the order in which they are built: first what runs longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Native,
    WasmCpu,
    EndToEnd,
    WasmRelaxed,
    WasmGpu,
    WasmPage,
    Page,
    Xtask,
}

/// What a stage is built and run with.
pub struct Context {
    /// WebGPU is a part of the site.
    pub gpu: bool,
    /// Long runs are wanted.
    pub long: bool,
    /// The file of the real SmolLM2, where it is to be tried.
    pub real: Option<PathBuf>,
}

impl Stage {
    pub const ALL: [Stage; 8] = [
        Stage::Native,
        Stage::WasmCpu,
        Stage::EndToEnd,
        Stage::WasmRelaxed,
        Stage::WasmGpu,
        Stage::WasmPage,
        Stage::Page,
        Stage::Xtask,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Stage::Native => "the trainer, natively",
            Stage::WasmCpu => "the trainer in Chromium, on the CPU",
            Stage::EndToEnd => "end to end on the built page",
            Stage::WasmRelaxed => "the same with relaxed SIMD",
            Stage::WasmGpu => "the trainer in Chromium, on WebGPU",
            Stage::WasmPage => "the page's store in Chromium",
            Stage::Page => "the page's state, natively",
            Stage::Xtask => "xtask",
        }
    }

    pub fn part(self) -> Part {
        match self {
            Stage::Native | Stage::Page | Stage::Xtask => Part::Native,
            Stage::WasmCpu | Stage::WasmRelaxed | Stage::WasmGpu | Stage::WasmPage => Part::Wasm,
            Stage::EndToEnd => Part::E2e,
        }
    }

    pub fn needs_gpu(self) -> bool {
        self == Stage::WasmGpu
    }

    /// Builds the stage's test programs.
    pub fn programs(self, context: &Context) -> Result<Vec<Program>> {
        let native =
            |args: &[&str]| Ok(binaries(args)?.into_iter().map(|b| b.program(self, Output::Libtest)).collect());
        match self {
            Stage::Native => {
                let mut programs: Vec<Program> =
                    native(&["--profile", "ci", "--package", "peft-lab", "--package", "linear-baseline"])?;
                if context.long {
                    programs.iter_mut().for_each(|program| program.set(super::LONG, "1"));
                }
                if let Some(file) = &context.real {
                    programs.iter_mut().for_each(|program| program.set(super::REAL, file));
                }
                Ok(programs)
            }
            Stage::Page => native(&[
                "--profile",
                "ci",
                "--package",
                "peft-lab",
                "--no-default-features",
                "--features",
                "page",
                "--lib",
            ]),
            Stage::Xtask => native(&["--package", "xtask"]),
            Stage::WasmCpu => self.in_browser(&["--test", "browser"]),
            Stage::WasmRelaxed => self.in_browser(&["--features", "relaxed-simd", "--test", "browser"]),
            Stage::WasmGpu => {
                self.in_browser(&["--no-default-features", "--features", "webgpu", "--test", "browser_webgpu"])
            }
            Stage::WasmPage => {
                self.in_browser(&["--no-default-features", "--features", "page", "--test", "browser_store"])
            }
            Stage::EndToEnd => {
                let browser = browser::find()?;
                let site = site::build(context.real.is_some(), context.gpu)?;
                let mut programs: Vec<Program> = native(&["--profile", "ci", "--package", "e2e"])?;
                for program in &mut programs {
                    program.set("PEFT_LAB_DIST", &site.dist);
                    program.set("CHROMIUM", &browser.chromium);
                    program.set("CHROMEDRIVER", &browser.driver);
                    if let Some(file) = &context.real {
                        program.set(super::REAL, file);
                    }
                    // They share a browser each, and wait more than they compute.
                    program.arg("--test-threads=2");
                }
                Ok(programs)
            }
        }
    }

    /// Tests of wasm in headless Chromium, through wasm-bindgen's test runner, as `wasm-pack test` would run them.
    fn in_browser(self, args: &[&str]) -> Result<Vec<Program>> {
        let browser = browser::find()?;
        let runner = tools::test_runner()?;
        let common = ["--target", site::WASM, "--profile", "ci", "--package", "peft-lab"];
        let found = stage(&format!("building {}", self.title()), || binaries(&[&common, args].concat()))?;
        let capabilities = capabilities(&browser)?;
        let mut programs = Vec::new();
        for binary in found {
            let mut program = binary.program(self, Output::Browser);
            program.run_by(&runner);
            program.set("CHROMEDRIVER", &browser.driver);
            program.set("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities);
            program.set("WASM_BINDGEN_TEST_TIMEOUT", "1800");
            program.set("WASM_BINDGEN_TEST_ONLY_WEB", "1");
            programs.push(program);
        }
        Ok(programs)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples in doc comments would be tests that nothing here runs.
    #[test]
    fn no_doc_comment_holds_code() {
        for path in site::files_under(&root().join("src")).unwrap() {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let mut fences = text.lines().map(str::trim_start).filter(|line| {
                let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
                doc.is_some_and(|doc| doc.trim_start().starts_with("```"))
            });
            // The fence that opens says what stands behind it.
            while let (Some(opens), Some(_)) = (fences.next(), fences.next()) {
                assert!(opens.ends_with("```text"), "{}: an example that no test runs: {opens}", path.display());
            }
        }
    }
}
