//! `cargo xtask bake`: writes `www/data/authors.json`, the sentences of the task `authors`.
//!
//! The books lie in two published crates, which the workspace `data/` names and its lock file pins.

use crate::{baseline, corpus};
use anyhow::{Context, Result, ensure};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

/// Sentences of each book to train on and to test on.
const TRAINING: usize = 600;
const HELD_OUT: usize = 150;

/// Where a book lies and what the page calls it. The order is that of the labels.
struct Source {
    label: &'static str,
    title: &'static str,
    author: &'static str,
    krate: &'static str,
    file: &'static str,
}

const fn source(label: &'static str, title: &'static str, author: &'static str, file: &'static str) -> Source {
    Source { label, title, author, krate: "scrunch", file }
}

const BOOKS: [Source; 7] = [
    source("A", "A Tale of Two Cities", "Charles Dickens", "resources/gutenberg/A.Tale.of.Two.Cities.txt"),
    source("B", "Dracula", "Bram Stoker", "resources/gutenberg/Dracula.txt"),
    source(
        "C",
        "The Adventures of Sherlock Holmes",
        "Arthur Conan Doyle",
        "resources/gutenberg/The.Adventures.of.Sherlock.Holmes.txt",
    ),
    source("D", "The Adventures of Tom Sawyer", "Mark Twain", "resources/gutenberg/The.Adventures.of.Tom.Sawyer.txt"),
    source("E", "The Count of Monte Cristo", "Alexandre Dumas", "resources/gutenberg/The.Count.of.Monte.Cristo.txt"),
    source("F", "The Iliad", "Homer, translated by Alexander Pope", "resources/gutenberg/The.Iliad.txt"),
    Source {
        label: "G",
        title: "Around the World in Eighty Days",
        author: "Jules Verne",
        krate: "esaxx-rs",
        file: "data/eighty.txt",
    },
];

/// The file's contents, as the main crate's `task::authors::Authors` reads them.
#[derive(serde::Serialize)]
struct Authors {
    books: Vec<Book>,
    training: Vec<(usize, String)>,
    held_out: Vec<(usize, String)>,
    baselines: Baselines,
}

#[derive(serde::Serialize)]
struct Book {
    label: &'static str,
    title: &'static str,
    author: &'static str,
}

#[derive(serde::Serialize)]
struct Baselines {
    chance: f64,
    majority: f64,
    bag_of_words: f64,
}

/// Writes `www/data/authors.json` under `root`, the repository, unless it is newer than all that it depends on.
pub fn bake(root: &Path) -> Result<()> {
    let out = root.join("www/data/authors.json");
    let manifest = root.join("data/Cargo.toml");
    // The books themselves never change: the lock file holds their crates' checksums. The recipe is this program.
    let inputs = [manifest.clone(), root.join("data/Cargo.lock"), std::env::current_exe()?];
    if is_newer(&out, &inputs) {
        return Ok(());
    }
    let crates = crate_folders(&manifest)?;
    let books = BOOKS.iter().map(|book| read(book, &crates)).collect::<Result<Vec<_>>>()?;
    let authors = authors(books)?;
    // Written beside and moved: an interrupted bake leaves no half file that looks finished.
    let partial = out.with_extension("json.partial");
    fs::create_dir_all(root.join("www/data"))?;
    fs::write(&partial, serde_json::to_vec(&authors)?)
        .with_context(|| format!("cannot write {}", partial.display()))?;
    fs::rename(&partial, &out).with_context(|| format!("cannot write {}", out.display()))?;
    Ok(())
}

/// Whether `file` exists and was written after each of `inputs`.
fn is_newer(file: &Path, inputs: &[PathBuf]) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified());
    let Ok(made) = time(file) else { return false };
    inputs.iter().all(|input| made > time(input).unwrap_or_else(|_| SystemTime::now()))
}

/// Folders of the crates that `manifest` names, which cargo downloads if need be: (name, folder).
fn crate_folders(manifest: &Path) -> Result<Vec<(String, PathBuf)>> {
    // The cargo that runs this program knows its own path.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .output()
        .context("cannot run cargo, which finds the books: is it on PATH?")?;
    ensure!(
        output.status.success(),
        "The books come from crates that cargo could not download. With a network connection run `cargo fetch --locked \
         --manifest-path {}`, then this again. Cargo said:\n{}",
        manifest.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let folder = |package: &serde_json::Value| {
        let folder = Path::new(package["manifest_path"].as_str()?).parent()?;
        Some((package["name"].as_str()?.to_string(), folder.to_path_buf()))
    };
    Ok(packages.iter().filter_map(folder).collect())
}

/// The sentences of a book.
fn read(book: &Source, crates: &[(String, PathBuf)]) -> Result<corpus::Parts> {
    let folder = crates.iter().find(|(name, _)| name == book.krate).map(|(_, folder)| folder);
    let folder = folder.with_context(|| {
        format!(
            "data/Cargo.toml no longer names the crate {}, which carries “{}”: add it back.",
            book.krate, book.title
        )
    })?;
    let path = folder.join(book.file);
    let bytes = fs::read(&path).with_context(|| {
        format!(
            "“{}” is missing: {} is not there. Delete the folder {} and run this again; cargo then unpacks the crate {} anew.",
            book.title,
            path.display(),
            folder.display(),
            book.krate
        )
    })?;
    Ok(corpus::parts(&bytes))
}

/// Draws each book's sentences, the same on every machine, and measures what a bag of words makes of them.
fn authors(books: Vec<corpus::Parts>) -> Result<Authors> {
    let (training, held_out) = separate(books);
    let training = draw(training, TRAINING, 1)?;
    let held_out = draw(held_out, HELD_OUT, 2)?;
    let classes = BOOKS.len();
    // Every book has its equal share: always naming one of them is right as often as guessing.
    let baselines = Baselines {
        chance: 1.0 / classes as f64,
        majority: 1.0 / classes as f64,
        bag_of_words: baseline::authors(&training, &held_out, classes),
    };
    let books = BOOKS.iter().map(|b| Book { label: b.label, title: b.title, author: b.author }).collect();
    Ok(Authors { books, training, held_out, baselines })
}

/// Training and held-out sentences of each book, no sentence twice: neither in one part nor in both.
fn separate(books: Vec<corpus::Parts>) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let mut seen = HashSet::new();
    let mut unique = |part: Vec<String>| -> Vec<String> {
        part.into_iter().filter(|sentence| seen.insert(sentence.clone())).collect()
    };
    let (training, held_out): (Vec<_>, Vec<_>) = books.into_iter().map(|b| (b.training, b.held_out)).unzip();
    // Held-out sentences first: what stands in both parts is kept from training.
    let held_out = held_out.into_iter().map(&mut unique).collect();
    let training = training.into_iter().map(&mut unique).collect();
    (training, held_out)
}

/// `n` sentences of each book, the books taking turns: any first part of the list is balanced.
fn draw(books: Vec<Vec<String>>, n: usize, seed: u64) -> Result<Vec<(usize, String)>> {
    let mut columns = Vec::with_capacity(books.len());
    for (mut sentences, book) in books.into_iter().zip(&BOOKS) {
        ensure!(
            sentences.len() >= n,
            "“{}” gives {} sentences where {n} are needed: its file is not the one that data/Cargo.lock pins. \
             Delete the crate {}'s folder in cargo's registry and run this again.",
            book.title,
            sentences.len(),
            book.krate
        );
        shuffle(&mut sentences, seed);
        sentences.truncate(n);
        columns.push(sentences.into_iter());
    }
    let turns = (0..n).flat_map(|_| 0..columns.len());
    // Each column holds exactly `n` sentences, so no turn is skipped.
    Ok(turns.collect::<Vec<_>>().into_iter().filter_map(|book| Some((book, columns[book].next()?))).collect())
}

/// Fisher–Yates with SplitMix64: written out, so that no release of a library changes the task.
fn shuffle(sentences: &mut [String], seed: u64) {
    let mut state = seed;
    for last in (1..sentences.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // The bias of a remainder is far below what a few thousand sentences could show.
        sentences.swap(last, (z % (last as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|i| format!("sentence {i}")).collect()
    }

    #[test]
    fn a_sentence_of_both_parts_is_only_tested_on() {
        let first = corpus::Parts { training: sentences(0..3), held_out: sentences(2..4) };
        let second = corpus::Parts { training: [sentences(3..5), sentences(4..6)].concat(), held_out: vec![] };
        let (training, held_out) = separate(vec![first, second]);
        assert_eq!(held_out, [sentences(2..4), vec![]]);
        assert_eq!(training, [sentences(0..2), sentences(4..6)]);
    }

    #[test]
    fn books_take_turns_and_the_draw_repeats() {
        let books: Vec<_> = (0..7).map(|b| sentences(100 * b..100 * b + 50)).collect();
        let drawn = draw(books.clone(), 40, 1).unwrap();
        assert_eq!(drawn, draw(books.clone(), 40, 1).unwrap());
        assert_ne!(drawn, draw(books, 40, 2).unwrap());
        assert_eq!(drawn.len(), 7 * 40);
        assert!(drawn.iter().enumerate().all(|(i, (book, _))| *book == i % 7));
        assert_eq!(drawn.iter().map(|(_, s)| s).collect::<HashSet<_>>().len(), 7 * 40);
    }

    #[test]
    fn a_short_book_is_named() {
        let error = draw(vec![sentences(0..3)], 5, 1).unwrap_err().to_string();
        assert!(error.contains("A Tale of Two Cities") && error.contains("gives 3"), "{error}");
    }

    #[test]
    fn a_missing_file_says_what_to_do() {
        let crates = vec![("scrunch".to_string(), PathBuf::from("/nowhere"))];
        let error = read(&BOOKS[1], &crates).unwrap_err().to_string();
        assert!(error.contains("Dracula") && error.contains("Delete the folder /nowhere"), "{error}");
        assert!(read(&BOOKS[6], &crates).unwrap_err().to_string().contains("esaxx-rs"));
    }
}
