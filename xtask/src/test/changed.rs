//! `cargo xtask test --changed`: from the files that differ to the stages that they can break.

use super::stage::Stage::{self, EndToEnd, Native, Page, WasmCpu, WasmGpu, WasmPage, WasmRelaxed, Xtask};
use crate::cargo::root;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::process::Command;

/// Beginnings of paths and what files there can break. The longest that fits holds; a file that none fits can break everything.
///
/// The tests of `xtask` read all source and all pages, for the structure of one, the links and lists of the other. Native ones
/// derive the pages' tables. Of the two builds for
/// Chromium on the CPU, which differ in one instruction, the one with relaxed SIMD checks more.
const TABLE: &[(&str, &[Stage])] = &[
    ("src/", &[Native, EndToEnd, WasmRelaxed, Page, Xtask]),
    ("src/kernels/", &[Native, WasmCpu, EndToEnd, WasmRelaxed, WasmGpu, Xtask]),
    ("src/train/", &[Native, EndToEnd, WasmRelaxed, Xtask]),
    ("src/experiments/", &[Native, Page, Xtask]),
    ("src/cli/", &[Native, Xtask]),
    ("src/worker/", &[Native, EndToEnd, WasmRelaxed, WasmGpu, Xtask]),
    ("src/ui/", &[EndToEnd, Page, Xtask]),
    ("src/ui/store", &[EndToEnd, WasmPage, Page, Xtask]),
    ("src/ui/indexed_db.rs", &[EndToEnd, WasmPage, Xtask]),
    ("src/ui/tabs.rs", &[EndToEnd, WasmPage, Xtask]),
    ("src/ui/state/parts/", &[EndToEnd, WasmPage, Page, Xtask]),
    ("tests/", &[Native, Xtask]),
    ("tests/shared/", &[Native, WasmCpu, WasmRelaxed, WasmGpu, Xtask]),
    ("tests/browser.rs", &[WasmCpu, WasmRelaxed, Xtask]),
    ("tests/browser_webgpu.rs", &[WasmGpu, Xtask]),
    ("tests/browser_store.rs", &[WasmPage, Xtask]),
    ("tests/e2e/", &[EndToEnd, Xtask]),
    ("linear-baseline/", &[Native, EndToEnd, Page, Xtask]),
    ("xtask/", &[Xtask]),
    ("xtask/src/site.rs", &[EndToEnd, Xtask]),
    ("xtask/src/boot.js", &[EndToEnd]),
    ("xtask/src/bake", &[Native, EndToEnd, Xtask]),
    ("xtask/tools/", &[WasmCpu, Xtask]),
    ("www/", &[EndToEnd]),
    ("www/models/", &[Native, EndToEnd]),
    ("www/runs/", &[Native, EndToEnd]),
    ("www/sweeps/", &[Native, Page, EndToEnd]),
    ("index.html", &[EndToEnd]),
    ("recipes/", &[Native]),
    ("sweeps/", &[Native, Page]),
    ("data/", &[Native, Xtask]),
    ("tools/", &[Native]),
    ("docs/", &[Native, Xtask]),
    ("proptest-regressions/", &[Native, Page]),
    ("README.md", &[Native, Xtask]),
    ("ARCHITECTURE.md", &[Xtask]),
    ("CONTRIBUTING.md", &[Native, Xtask]),
    ("CHANGELOG.md", &[Xtask]),
    ("bench/", &[Native]),
    ("LICENSE-APACHE", &[]),
    ("LICENSE-MIT", &[]),
    (".gitignore", &[]),
    ("rustfmt.toml", &[]),
    ("clippy.toml", &[]),
    (".ci/", &[]),
    ("webdriver.json", &[WasmCpu, WasmGpu, WasmPage]),
    (".cargo/", &Stage::ALL),
    ("Cargo.toml", &Stage::ALL),
    ("Cargo.lock", &Stage::ALL),
    ("rust-toolchain.toml", &Stage::ALL),
];

/// Files that differ from a revision, in what is committed, what is not, and what git does not know yet.
pub fn files(revision: &str) -> Result<Vec<String>> {
    let mut files = git(&["diff", "--name-only", "--no-renames", revision, "--"])?;
    files.extend(git(&["ls-files", "--others", "--exclude-standard"])?);
    Ok(files)
}

fn git(args: &[&str]) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["-c", "core.quotePath=false"])
        .args(args)
        .current_dir(root())
        .output()
        .context("git, which tells what has changed, could not be started")?;
    ensure!(output.status.success(), "git {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(String::from).collect())
}

/// What a file can break.
fn broken_by(file: &str) -> &'static [Stage] {
    let rows = TABLE.iter().filter(|(start, _)| file.starts_with(start));
    rows.max_by_key(|(start, _)| start.len()).map_or(&Stage::ALL, |(_, stages)| stages)
}

/// The stages to run for some files, in the order in which they are built.
pub fn stages(files: &[String]) -> Vec<Stage> {
    let stages: BTreeSet<Stage> = files.iter().flat_map(|file| broken_by(file)).copied().collect();
    stages.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[&str]) -> Vec<Stage> {
        stages(&files.iter().map(|file| file.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn a_file_runs_what_it_can_break_and_no_more() {
        assert_eq!(of(&[]), []);
        assert_eq!(of(&["src/ui/app.rs"]), [EndToEnd, Page, Xtask]);
        assert_eq!(of(&["src/ui/store/own.rs"]), [EndToEnd, WasmPage, Page, Xtask]);
        assert_eq!(of(&["src/kernels/webgpu/add.wgsl"]), [Native, WasmCpu, EndToEnd, WasmRelaxed, WasmGpu, Xtask]);
        assert_eq!(of(&["src/peft/lora/mod.rs"]), [Native, EndToEnd, WasmRelaxed, Page, Xtask]);
        assert_eq!(of(&["src/cli/cost.rs"]), [Native, Xtask]);
        assert_eq!(of(&["tests/browser_webgpu.rs"]), [WasmGpu, Xtask]);
        assert_eq!(of(&["xtask/src/flags.rs"]), [Xtask]);
        assert_eq!(of(&["ARCHITECTURE.md", "CHANGELOG.md"]), [Xtask]);
        assert_eq!(of(&["README.md", "docs/testing.md"]), [Native, Xtask]);
        assert_eq!(of(&["docs/methods.md"]), [Native, Xtask]);
        assert_eq!(of(&["LICENSE-MIT"]), []);
    }

    #[test]
    fn files_add_up_and_what_is_not_in_the_table_runs_everything() {
        assert_eq!(of(&["xtask/src/flags.rs", "www/style.css"]), [EndToEnd, Xtask]);
        assert_eq!(of(&["a-new-folder/file"]), Stage::ALL);
        assert_eq!(of(&["Cargo.lock", "README.md"]), Stage::ALL);
    }

    #[test]
    fn the_table_names_what_there_is_and_leaves_nothing_out() {
        let known = git(&["ls-files", "--cached", "--others", "--exclude-standard"]).unwrap();
        for (start, _) in TABLE {
            assert!(known.iter().any(|file| file.starts_with(start)), "nothing begins with {start}");
        }
        for file in &known {
            assert!(TABLE.iter().any(|(start, _)| file.starts_with(start)), "the table has no row for {file}");
        }
    }
}
