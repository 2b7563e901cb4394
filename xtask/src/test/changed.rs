//! `cargo xtask test --changed`: from the files that differ to the tests that they can break.

use super::stage::{Plan, Stage};
use crate::cargo::root;
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Tests that a file can break.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tests {
    /// All of a stage.
    All(Stage),
    /// Those of a stage whose names contain a text.
    Named(Stage, &'static str),
}

use Stage::{EndToEnd, Native, Page, WasmCpu, WasmGpu, WasmRelaxed, Xtask};
use Tests::{All, Named};

/// The trainer in a browser: on the CPU, since the build without relaxed SIMD differs in one instruction.
const IN_BROWSER: Tests = All(WasmRelaxed);
const EVERYTHING: &[Tests] =
    &[All(Native), All(WasmCpu), All(EndToEnd), All(WasmRelaxed), All(WasmGpu), All(Page), All(Xtask)];
/// What page and trainer share.
const CORE: &[Tests] = &[All(Native), All(Page), IN_BROWSER, All(EndToEnd)];
/// What only the trainer has.
const TRAINER: &[Tests] = &[All(Native), IN_BROWSER, All(EndToEnd)];
/// What people read: names, links and pages that are generated.
const PAPER: &[Tests] = &[Named(Native, "docs")];
const NOTHING: &[Tests] = &[];

/// Beginnings of paths and what files there can break. The longest that fits holds; a file that none fits can break everything.
const TABLE: &[(&str, &[Tests])] = &[
    ("src/", CORE),
    ("src/model/kernels/", &[All(Native), All(WasmCpu), All(WasmRelaxed), All(WasmGpu)]),
    ("src/train/", TRAINER),
    ("src/cli/", &[All(Native)]),
    ("src/worker/", &[All(Native), IN_BROWSER, All(WasmGpu), All(EndToEnd)]),
    ("src/ui/", &[All(Page), All(EndToEnd)]),
    ("tests/", &[All(Native)]),
    ("tests/shared/", &[All(Native), All(WasmCpu), All(WasmRelaxed), All(WasmGpu)]),
    ("tests/browser.rs", &[All(WasmCpu), All(WasmRelaxed)]),
    ("tests/browser_webgpu.rs", &[All(WasmGpu)]),
    ("tests/e2e/", &[All(EndToEnd)]),
    ("xtask/", &[All(Xtask)]),
    ("xtask/src/site.rs", &[All(Xtask), All(EndToEnd)]),
    ("xtask/src/boot.js", &[All(EndToEnd)]),
    ("xtask/src/bake", &[All(Xtask), All(Native), All(EndToEnd)]),
    ("xtask/src/test", &[All(Xtask), All(Page)]),
    ("xtask/tools/", &[All(Xtask), All(WasmCpu)]),
    ("www/", &[All(EndToEnd)]),
    ("www/models/", &[All(Native), All(EndToEnd)]),
    ("index.html", &[All(EndToEnd)]),
    ("recipes/", &[All(Native)]),
    ("sweeps/", &[All(Native), All(Page)]),
    ("data/", &[All(Native), All(Xtask)]),
    ("tools/", &[All(Native)]),
    ("bench/", NOTHING),
    ("README.md", PAPER),
    ("ARCHITECTURE.md", PAPER),
    ("LICENSE-APACHE", NOTHING),
    ("LICENSE-MIT", NOTHING),
    (".gitignore", NOTHING),
    ("rustfmt.toml", NOTHING),
    (".ci/", NOTHING),
    ("webdriver.json", &[All(WasmCpu), All(WasmGpu)]),
    (".cargo/", EVERYTHING),
    ("Cargo.toml", EVERYTHING),
    ("Cargo.lock", EVERYTHING),
    ("rust-toolchain.toml", EVERYTHING),
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
fn tests(file: &str) -> &'static [Tests] {
    let rows = TABLE.iter().filter(|(start, _)| file.starts_with(start));
    rows.max_by_key(|(start, _)| start.len()).map_or(EVERYTHING, |(_, tests)| tests)
}

/// The stages to run for some files, in the order in which they are built.
pub fn plans(files: &[String]) -> Vec<Plan> {
    // No filter at all is all of the stage.
    let mut stages: BTreeMap<Stage, Option<BTreeSet<String>>> = BTreeMap::new();
    for test in files.iter().flat_map(|file| tests(file)) {
        match test {
            All(stage) => drop(stages.insert(*stage, None)),
            Named(stage, name) => {
                let filters = stages.entry(*stage).or_insert_with(|| Some(BTreeSet::new()));
                filters.as_mut().map(|filters| filters.insert(name.to_string()));
            }
        }
    }
    stages.into_iter().map(|(stage, filters)| Plan { stage, filters: filters.unwrap_or_default() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[&str]) -> Vec<Plan> {
        plans(&files.iter().map(|file| file.to_string()).collect::<Vec<_>>())
    }

    fn whole(stages: &[Stage]) -> Vec<Plan> {
        stages.iter().map(|stage| Plan::whole(*stage)).collect()
    }

    #[test]
    fn a_file_runs_what_it_can_break_and_no_more() {
        assert_eq!(of(&[]), []);
        assert_eq!(of(&["src/ui/app.rs"]), whole(&[EndToEnd, Page]));
        assert_eq!(of(&["src/model/kernels/webgpu/add.wgsl"]), whole(&[Native, WasmCpu, WasmRelaxed, WasmGpu]));
        assert_eq!(of(&["src/peft/lora/mod.rs"]), whole(&[Native, EndToEnd, WasmRelaxed, Page]));
        assert_eq!(of(&["src/cli/cost.rs"]), whole(&[Native]));
        assert_eq!(of(&["xtask/src/flags.rs"]), whole(&[Xtask]));
        assert_eq!(of(&["tests/browser_webgpu.rs"]), whole(&[WasmGpu]));
        assert_eq!(of(&["LICENSE-MIT"]), []);
    }

    #[test]
    fn files_add_up_and_what_is_not_in_the_table_runs_everything() {
        assert_eq!(of(&["xtask/src/flags.rs", "www/style.css"]), whole(&[EndToEnd, Xtask]));
        assert_eq!(of(&["a-new-folder/file"]), whole(&Stage::ALL));
        assert_eq!(of(&["Cargo.lock", "README.md"]), whole(&Stage::ALL));
    }

    #[test]
    fn what_people_read_runs_the_tests_of_what_they_read() {
        let paper = Plan { stage: Native, filters: BTreeSet::from(["docs".to_string()]) };
        assert_eq!(of(&["README.md"]), [paper]);
        // All of a stage is more than some of it, in either order.
        assert_eq!(of(&["README.md", "src/cli/cost.rs"]), whole(&[Native]));
        assert_eq!(of(&["src/cli/cost.rs", "README.md"]), whole(&[Native]));
    }

    #[test]
    fn the_table_names_what_there_is_and_leaves_out_no_folder() {
        let tracked = git(&["ls-files", "--cached", "--others", "--exclude-standard"]).unwrap();
        for (start, _) in TABLE {
            assert!(tracked.iter().any(|file| file.starts_with(start)), "nothing begins with {start}");
        }
        for file in &tracked {
            assert!(TABLE.iter().any(|(start, _)| file.starts_with(start)), "the table has no row for {file}");
        }
    }
}
