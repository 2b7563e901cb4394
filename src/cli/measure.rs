//! Commands that train or score many times: `spread`, `sweep`, `pretrain`.

use super::disk::Disk;
use super::flags::config;
use super::output::{print_line, tell};
use super::sentence::Sentence;
use super::taken::{report, say};
use crate::base::{Failure, read_json};
use crate::experiments::pretrain::{Corpus, Data, Recipe};
use crate::experiments::sweep::{Measured, Shard, Sweep};
use crate::protocol::Event;
use crate::train::library::{LoadedBase, Materials};
use crate::train::spread::Spread;
use burn::tensor::Device;
use clap::ArgMatches;
use std::path::PathBuf;
use std::rc::Rc;

/// Scores in-context learning after many prompts around the one that the flags describe.
pub async fn spread(args: &ArgMatches) -> Result<(), Sentence> {
    let config = config(args)?;
    say(&report(&config).await);
    let (files, device) = (Disk::default(), Device::flex());
    let measure = async || -> Result<(), Failure> {
        let base = Rc::new(LoadedBase::of(&config, &files, &device).await?);
        let materials = Rc::new(Materials::load(&config, &files).await?);
        let mut spread = Spread::new(0, config.clone(), base, materials, &device)?;
        while let Some(event) = spread.advance().await? {
            match &event {
                event if args.get_flag("json") => print_line!("{}", serde_json::to_string(event).unwrap_or_default()),
                Event::Spread { what, accuracy, free, n, .. } => {
                    let score = accuracy.map_or("does not fit".into(), |a| format!("{a:.3} of {n}"));
                    let free = free.map_or_else(String::new, |f| format!(", {f:.3} among all tokens"));
                    print_line!("{what:34} {score}{free}");
                }
                _ => {}
            }
        }
        Ok(())
    };
    measure().await.map_err(|f| f.message)
}

/// Trains the runs of a sweep's file that its results lack, and writes the results after each; or puts together what
/// several machines measured.
pub fn sweep(args: &ArgMatches) -> Result<(), Sentence> {
    let given = |name: &str| args.get_one::<String>(name).ok_or_else(|| format!("{name} is missing"));
    let (path, out) = (given("sweep")?, given("out")?);
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path} cannot be read: {e}"))?;
    let sweep = Sweep::from_json(&text).map_err(|e| format!("{path}: {e}"))?;
    let read = |path: &str, text: &str| read_json::<Measured>(text).map_err(|e| format!("{path}: {e}"));
    if let Some(parts) = args.get_many::<String>("merge") {
        let part = |path: &String| {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{path} cannot be read: {e}"))?;
            read(path, &text)
        };
        let parts = parts.map(part).collect::<Result<Vec<Measured>, Sentence>>()?;
        let (merged, missing) = Measured::merged(&sweep, &parts).map_err(|e| format!("{path}: {e}."))?;
        std::fs::write(out, merged.to_lines()?).map_err(|e| format!("{out} cannot be written: {e}"))?;
        tell(&format!("{} runs in {out}, {missing} missing", merged.points.len()));
        return Ok(());
    }
    let shard = args.get_one::<String>("shard").map_or(Ok(Shard::WHOLE), |text| Shard::parse(text))?;
    let known = match std::fs::read_to_string(out) {
        Ok(text) => read(out, &text)?.points,
        Err(_) => Vec::new(),
    };
    let jobs = args.get_one("jobs").copied();
    let jobs = jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let unwritten = std::sync::Mutex::new(None);
    let keep = |measured: &Measured| {
        let written = measured.to_lines().and_then(|text| std::fs::write(out, text).map_err(|e| e.to_string()));
        if let (Err(e), Ok(mut slot)) = (written, unwritten.lock()) {
            *slot = Some(format!("{out} cannot be written: {e}"));
        }
    };
    let measured = sweep.measure(known, shard, jobs, &Disk::default(), |line| tell(&line), keep)?;
    keep(&measured);
    unwritten.into_inner().ok().flatten().map_or(Ok(()), Err)
}

/// Makes a base from its recipe.
pub async fn pretrain(args: &ArgMatches) -> Result<(), Sentence> {
    let given = |name: &str| args.get_one::<String>(name).ok_or_else(|| format!("{name} is missing"));
    let read = |path: &str| std::fs::read_to_string(path).map_err(|e| format!("{path} cannot be read: {e}."));
    let path = given("recipe")?;
    let recipe = Recipe::from_json(&read(path)?).map_err(|e| format!("{path}: {e}"))?;
    let corpus = match recipe.data {
        Data::Rules(_) => None,
        Data::Prose(_) => {
            let path = given("text")?;
            let text = read(path).map_err(|e| format!("{e} `cargo xtask bake --pretraining` writes it."))?;
            Some(read_json::<Corpus>(&text).map_err(|e| format!("{path}: {e}"))?)
        }
    };
    let out = PathBuf::from(given("out")?);
    crate::experiments::pretrain::pretrain(&recipe, corpus.as_ref(), &out, None, |line| tell(&line)).await?;
    Ok(())
}
