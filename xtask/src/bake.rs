//! `cargo xtask bake`: writes `www/data/`, what the tasks train on and test on.
//!
//! Books and the languages' lines lie in published crates, which the workspace `data/` names and its lock file pins.

mod books;
mod crates;
mod dialogue;
mod labelled;
mod languages;
mod python;
mod sentiment;
mod smollm2;

use anyhow::{Context, Result};
use books::{Book, Source};
use crates::Crates;
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

pub use smollm2::{FILE as LARGE_BASE, bake as large_base};

/// What is baked from crates. `sentiment` comes from elsewhere.
const FROM_CRATES: [&str; 6] = ["authors", "dialogue", "language-sentence", "language-word", "style", "prose"];
/// Says which blocks of the books no base was trained on, though no task uses them.
const RECIPE: &str = "recipes/prose-micro.json";

/// Writes each file of `www/data/` under `root`, the repository, unless it is newer than all that it depends on.
pub fn bake(root: &Path) -> Result<()> {
    let folder = root.join("www/data");
    let manifest = root.join("data/Cargo.toml");
    let program = std::env::current_exe()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    // The crates themselves never change: the lock file holds their checksums. How they are read is this program.
    let inputs = [manifest.clone(), root.join("data/Cargo.lock"), root.join(RECIPE), program.clone()];
    if FROM_CRATES.iter().any(|task| !is_newer(&file_of(&folder, task), &inputs)) {
        from_crates(root, &folder, &Crates::of(&manifest)?)?;
    }
    sentiment::bake(root, &folder, program)
}

fn from_crates(root: &Path, folder: &Path, crates: &Crates) -> Result<()> {
    let books = books::read(crates)?;
    let mut labelled = [
        ("authors", books::authors(&books, crates)?),
        ("dialogue", dialogue::dialogue(&books, crates)?),
        ("language-sentence", languages::sentences(crates)?),
        ("language-word", languages::words(crates)?),
    ];
    // All but nothing else takes time.
    std::thread::scope(|scope| {
        for (_, task) in &mut labelled {
            scope.spawn(|| task.measure());
        }
    });
    for (name, task) in &labelled {
        write(&file_of(folder, name), task)?;
    }
    write(&file_of(folder, "style"), &books::style(&books, crates))?;
    write(&file_of(folder, "prose"), &books::prose(&books, &held_out(root)?, crates)?)
}

fn file_of(folder: &Path, task: &str) -> PathBuf {
    folder.join(format!("{task}.json"))
}

/// Written beside and moved: an interrupted bake leaves no half file that looks finished.
fn write(file: &Path, contents: &impl Serialize) -> Result<()> {
    let partial = file.with_extension("json.partial");
    fs::write(&partial, serde_json::to_vec(contents)?)
        .with_context(|| format!("cannot write {}", partial.display()))?;
    fs::rename(&partial, file).with_context(|| format!("cannot write {}", file.display()))
}

/// Whether `file` exists and was written after each of `inputs`.
fn is_newer(file: &Path, inputs: &[PathBuf]) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified());
    let Ok(made) = time(file) else { return false };
    inputs.iter().all(|input| made > time(input).unwrap_or_else(|_| SystemTime::now()))
}

/// The blocks that the recipe of the prose bases holds out: (book, numbers).
fn held_out(root: &Path) -> Result<Vec<(String, Vec<usize>)>> {
    let path = root.join(RECIPE);
    let recipe = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let recipe: serde_json::Value =
        serde_json::from_slice(&recipe).with_context(|| format!("{} is not JSON", path.display()))?;
    let blocks: std::collections::BTreeMap<_, _> = serde_json::from_value(recipe["data"]["prose"]["held_out"].clone())
        .with_context(|| {
            format!("{}: data.prose.held_out should give the numbers of blocks by book", path.display())
        })?;
    Ok(blocks.into_iter().collect())
}

/// Books that no task uses, in blocks of about the length of the others'.
const ONLY_PRETRAINED: [Source; 2] = [
    extra("Alice's Adventures in Wonderland", "Lewis Carroll", "tests/text/Alice's Adventures in Wonderland.md"),
    extra("The Great Gatsby", "F. Scott Fitzgerald", "tests/text/The Great Gatsby.md"),
];

const fn extra(title: &'static str, author: &'static str, file: &'static str) -> Source {
    Source { title, author, krate: "harper-core", file }
}

/// Writes `data/pretraining/corpus.json`, the text that the prose bases are pretrained on.
pub fn bake_pretraining(root: &Path) -> Result<()> {
    let crates = Crates::of(&root.join("data/pretraining/Cargo.toml"))?;
    let mut blocks = Vec::new();
    let mut add = |title: &str, number: usize, paragraphs: &[String]| {
        let text = crate::corpus::text(paragraphs);
        blocks.push(serde_json::json!({"book": title, "number": number, "text": text}));
    };
    for Book { source, blocks } in &books::read(&crates)? {
        crate::corpus::pretraining(blocks).for_each(|(number, block)| add(source.title, number, block));
    }
    for source in &ONLY_PRETRAINED {
        let blocks = crate::corpus::whole(&source.contents(&crates)?, 8);
        blocks.iter().enumerate().for_each(|(number, block)| add(source.title, number, block));
    }
    let out = root.join("data/pretraining/corpus.json");
    fs::write(&out, serde_json::to_vec(&serde_json::json!({ "blocks": blocks }))?)
        .with_context(|| format!("cannot write {}", out.display()))?;
    println!("{}", out.display());
    Ok(())
}
