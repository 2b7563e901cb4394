//! Chromium and its driver: found, or installed where that can be done, or asked for.

use crate::cargo::{run, stage};
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// A browser and its driver.
pub struct Browser {
    pub chromium: PathBuf,
    pub driver: PathBuf,
}

/// Finds Chromium and chromedriver (`CHROMIUM` and `CHROMEDRIVER` override), installing Debian's where root may.
pub fn find() -> Result<Browser> {
    if let Some(browser) = installed() {
        return Ok(browser);
    }
    let debian = on_path("apt-get").is_some();
    if debian && is_root() {
        stage("installing chromium and chromium-driver", || {
            run(Command::new("apt-get").arg("update").env("DEBIAN_FRONTEND", "noninteractive"))?;
            run(Command::new("apt-get")
                .args(["install", "-y", "chromium", "chromium-driver"])
                .env("DEBIAN_FRONTEND", "noninteractive"))
        })?;
        if let Some(browser) = installed() {
            return Ok(browser);
        }
    }
    bail!(
        "the browser tests need Chromium (or Chrome) and chromedriver on PATH, or named by CHROMIUM and CHROMEDRIVER.\n\
         Debian, Ubuntu: apt-get install chromium chromium-driver\n\
         Fedora: dnf install chromium chromedriver\n\
         Arch: pacman -S chromium\n\
         macOS: brew install --cask chromium chromedriver"
    )
}

const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
/// Where macOS keeps them.
const APPLICATIONS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

fn installed() -> Option<Browser> {
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|p| p.is_file());
    let chromium = named("CHROMIUM")
        .or_else(|| NAMES.into_iter().find_map(on_path))
        .or_else(|| APPLICATIONS.into_iter().map(PathBuf::from).find(|p| p.is_file()))?;
    let driver = named("CHROMEDRIVER").or_else(|| on_path("chromedriver"))?;
    Some(Browser { chromium, driver })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|p| p.is_file())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.trim_ascii() == b"0")
}
