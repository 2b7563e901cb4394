//! `export` and `merge`: a run's φ as files for others.

use super::disk::Disk;
use super::output::print_line;
use super::sentence::Sentence;
use super::session::stored;
use super::user_data;
use crate::bases::Base;
use crate::interchange::hf_adapter;
use crate::model::files::gguf::Gguf;
use crate::train::library::Files;
use clap::ArgMatches;
use std::path::PathBuf;

/// Writes files into a folder, which is made.
fn write_all(folder: &str, files: &[(&str, &[u8])]) -> Result<(), Sentence> {
    let failed = |e: std::io::Error| format!("{folder} cannot be written: {e}");
    std::fs::create_dir_all(folder).map_err(failed)?;
    for (name, bytes) in files {
        std::fs::write(PathBuf::from(folder).join(name), bytes).map_err(failed)?;
    }
    Ok(())
}

/// A run's φ as Hugging Face PEFT writes it.
pub(super) async fn export(args: &ArgMatches) -> Result<(), Sentence> {
    let folder: &String = args.get_one("out").ok_or("--out is missing")?;
    user_data::spare(args, folder)?;
    let missing = |_: Option<&Base>| Err("--run is missing".to_string());
    let stored = stored(args, missing)?.ok_or("--run is missing")?;
    let session = stored.session().await.map_err(|f| f.message)?;
    let mut files = session.export().await.map_err(|f| f.message)?;
    if let Some(path) = user_data::folder(session.config().base.id) {
        files = files.on(&path.display().to_string());
    }
    write_all(folder, &[(hf_adapter::CONFIG_FILE, files.config.as_bytes()), (hf_adapter::MODEL_FILE, &files.weights)])?;
    print_line!("{folder}: {} for {}", session.config().label(), session.config().base.id);
    Ok(())
}

/// A copy of θ with a run's φ folded in.
pub(super) async fn merge(args: &ArgMatches) -> Result<(), Sentence> {
    let folder: &String = args.get_one("out").ok_or("--out is missing")?;
    user_data::spare(args, folder)?;
    let missing = |_: Option<&Base>| Err("--run is missing".to_string());
    let stored = stored(args, missing)?.ok_or("--run is missing")?;
    let session = stored.session().await.map_err(|f| f.message)?;
    let merged = session.merged().map_err(|f| f.message)?;
    let weights = merged.to_safetensors().await.map_err(|f| f.message)?;
    let (disk, base) = (Disk::default(), session.config().base);
    let id = base.id;
    let mut files = vec![("model.safetensors", weights)];
    match base.one_file() {
        // What it says in one file, transformers reads from several.
        Some(file) => {
            let bytes = disk.read(&format!("models/{id}/{file}")).await?;
            let gguf = Gguf::read(file, &bytes, bytes.len() as u64).map_err(|e| format!("{e}."))?;
            files.push(("config.json", base.config_text().into()));
            files.push(("tokenizer.json", gguf.tokenizer_json().map_err(|e| format!("{e}."))?.into_bytes()));
        }
        None => {
            for name in std::iter::once("config.json").chain(base.tokenizer().iter().copied()) {
                files.push((name, disk.read(&format!("models/{id}/{name}")).await?));
            }
        }
    }
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    write_all(folder, &files)?;
    print_line!("{folder}: {id} with {} folded in", session.config().label());
    Ok(())
}
