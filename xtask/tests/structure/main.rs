//! The invariants of ARCHITECTURE.md that the source alone can break.
//!
//! Folders form a list, and no files form a circle.
//! The network knows no method, a method no browser, the page no tensor.
//! What belongs to a method or to a family of models stands in its folder.
//!
//! `cargo test -p xtask --test structure -- --nocapture --test-threads 1` prints every finding of every rule.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]

mod graph;
mod names;
mod scan;
mod tree;

use std::path::Path;
use std::sync::LazyLock;
use tree::{Texts, Tree};

/// A file imports from its own folder and from folders above it in this list.
const FOLDERS: [&str; 17] = [
    "base",
    "trace",
    "kernels",
    "model",
    "bases",
    "peft",
    "task",
    "config",
    "protocol",
    "ledger",
    "interchange",
    "train",
    "experiments",
    "cli",
    "worker",
    "ui",
    "bin",
];

/// Folders that must not import others although the list would let them.
/// The shells around the session do not know each other.
/// The page, moreover, is built without tensors.
const FORBIDDEN: [(&str, &[&str]); 2] =
    [("worker", &["cli"]), ("ui", &["kernels", "train", "experiments", "cli", "worker"])];

/// Arrows that the two lists above forbid and that have a reason: from a file or folder, to a file, why.
const EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "src/ui/state",
    "src/experiments/sweep.rs",
    "grids and their points are plain data, which the page draws and queues",
)];

/// Crates that a folder must not name.
const FOREIGN: [(&str, &[&str]); 2] =
    [("src/peft/", &["web_sys", "js_sys", "wasm_bindgen", "gloo", "yew"]), ("src/ui/", &["burn", "gemm"])];

/// A file past this many lines is asking to be two.
const LINES: usize = 450;

static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the repository");
    tree::read(root, &["src", "xtask/src", "xtask/tests", "tests"])
});
static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::of(&TEXTS));

/// Prints what breaks a rule, and fails where anything does.
fn report(rule: &str, findings: &[String]) {
    println!("\n{rule}: {}", if findings.is_empty() { "holds".to_string() } else { findings.len().to_string() });
    findings.iter().for_each(|finding| println!("  {finding}"));
    assert!(findings.is_empty(), "{rule}: {} findings", findings.len());
}

/// The folder of a file under `src/`; a file beside the folders is one by its name. `None` for `lib.rs`.
fn folder(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("src/")?;
    let folder = inner.split_once('/').map_or_else(|| inner.trim_end_matches(".rs"), |(folder, _)| folder);
    (folder != "lib" && folder != "main").then_some(folder)
}

/// Arrows that run up the list, or between folders that must not know each other.
fn arrows_up(tree: &Tree) -> Vec<String> {
    let rank = |folder: &str| FOLDERS.iter().position(|f| *f == folder);
    let mut out = Vec::new();
    for ((from, to), reasons) in tree.arrows.iter().chain(&tree.passed_on) {
        let (from, to) = (&tree.files[*from].path, &tree.files[*to].path);
        let (Some(own), Some(other)) = (folder(from), folder(to)) else { continue };
        let up = match (rank(own), rank(other)) {
            (Some(own), Some(other)) => other > own,
            _ => false,
        };
        let forbidden = FORBIDDEN.iter().any(|(folder, others)| *folder == own && others.contains(&other));
        let excused = EXCEPTIONS.iter().any(|(f, t, _)| from.starts_with(f) && to == t);
        if (up || forbidden) && !excused {
            let names: Vec<&str> = reasons.keys().map(String::as_str).collect();
            out.push(format!("{from} -> {to} ({})", names.join(", ")));
        }
    }
    out
}

/// Folders that the list lacks.
fn unlisted(tree: &Tree) -> Vec<String> {
    let mut out: Vec<String> = tree.files.iter().filter_map(|file| folder(&file.path)).map(str::to_string).collect();
    out.sort();
    out.dedup();
    out.retain(|folder| !FOLDERS.contains(&folder.as_str()));
    out
}

/// Circles of files, with the names that tie them.
fn circles(tree: &Tree) -> Vec<String> {
    let describe = |circle: Vec<usize>| {
        let files: Vec<&str> = circle.iter().map(|file| tree.files[*file].path.as_str()).collect();
        let mut out = files.join(", ");
        for ((from, to), reasons) in &tree.arrows {
            if circle.contains(from) && circle.contains(to) {
                let names: Vec<&str> = reasons.keys().map(String::as_str).collect();
                let (from, to) = (&tree.files[*from].path, &tree.files[*to].path);
                out += &format!("\n      {from} -> {to} ({})", names.join(", "));
            }
        }
        out
    };
    graph::circles(tree).into_iter().map(describe).collect()
}

/// Crates named where they must not be.
fn foreign(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for file in &tree.files {
        for (folder, crates) in FOREIGN {
            let inside = file.path.starts_with(folder);
            let named = file.identifiers.iter().filter(|(word, _)| inside && crates.contains(&word.as_str()));
            out.extend(named.map(|(word, line)| format!("{}:{line} {word}", file.path)));
        }
    }
    out.dedup();
    out
}

#[test]
fn every_file_is_read_and_declared() {
    assert!(TREE.files.len() > 100, "only {} files were read", TREE.files.len());
    report("Files that are no Rust, or that no module declares", &TREE.faults);
}

#[test]
fn every_folder_stands_in_the_list() {
    report("Folders outside the list", &unlisted(&TREE));
}

#[test]
fn files_import_only_from_folders_above_their_own() {
    report("Arrows up", &arrows_up(&TREE));
}

#[test]
fn no_files_form_a_circle() {
    report("Circles of files", &circles(&TREE));
}

#[test]
fn a_method_knows_no_browser_and_the_page_no_tensor() {
    report("Crates named where they must not be", &foreign(&TREE));
}

#[test]
fn only_its_own_folder_and_the_registry_name_a_method() {
    let Some(methods) = names::methods(&TREE) else {
        println!("No list of methods in src/peft: not checked");
        return;
    };
    println!("{} methods: {}", methods.folders.len(), methods.labels().join(", "));
    report("Methods named elsewhere", &names::strangers(&TREE, &methods));
}

#[test]
fn only_its_own_folder_names_a_family_of_models() {
    let Some(families) = names::families(&TREE) else {
        println!("No src/model/families: not checked");
        return;
    };
    println!("Families: {}", families.labels().join(", "));
    report("Families named elsewhere", &names::strangers(&TREE, &families));
}

#[test]
fn no_file_is_too_long() {
    let long = TEXTS.iter().map(|(path, text)| (path, text.lines().count())).filter(|(_, lines)| *lines > LINES);
    report("Files that are too long", &long.map(|(path, lines)| format!("{path}: {lines} lines")).collect::<Vec<_>>());
}

mod tests;
