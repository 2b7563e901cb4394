//! Running cargo, and where things are.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

/// The repository's root.
pub fn root() -> PathBuf {
    // The manifest's folder always has a parent: xtask lives in the repository.
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}

/// Where cargo puts what it builds: `CARGO_TARGET_DIR`, a `build.target-dir` of the user's, or `target`, as cargo says itself.
pub fn target_dir() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| asked_target_dir().unwrap_or_else(|| root().join("target"))).clone()
}

fn asked_target_dir() -> Option<PathBuf> {
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1"]).output().ok()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    Some(metadata["target_directory"].as_str()?.into())
}

/// Says what a stage does, runs it, says how long it took.
pub fn stage<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("· {what} …");
    let start = Instant::now();
    let result = work()?;
    eprintln!("  {what}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(result)
}

/// Runs a command to its end; another status than 0 is an error that names it.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command.status().with_context(|| format!("{shown} could not be started"))?;
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(())
}

/// `cargo` with arguments, in the root.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    without_empty_rustflags(&mut command);
    command
}

/// What replaces the flags of `.cargo/config.toml`.
const RUSTFLAGS: [&str; 3] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS"];

/// Even an empty RUSTFLAGS replaces the config's, which is not what who empties it means.
pub fn without_empty_rustflags(command: &mut Command) {
    for name in RUSTFLAGS {
        if std::env::var_os(name).as_deref() == Some(OsStr::new("")) {
            command.env_remove(name);
        }
    }
}

/// A set RUSTFLAGS replaces the flags of `.cargo/config.toml`: the trainer would lose simd128, and two thirds of its speed.
pub fn refuse_rustflags() -> Result<()> {
    for name in RUSTFLAGS {
        if std::env::var_os(name).is_some_and(|v| !v.is_empty()) {
            bail!(
                "{name} is set and would replace the flags of .cargo/config.toml (simd128 among them): unset it and run again"
            );
        }
    }
    Ok(())
}

/// Adds the wasm target where rustup manages the toolchain and it is missing.
pub fn ensure_wasm_target() -> Result<()> {
    let installed = Command::new("rustup").args(["target", "list", "--installed"]).current_dir(root()).output();
    match installed {
        Ok(list) if String::from_utf8_lossy(&list.stdout).contains("wasm32-unknown-unknown") => Ok(()),
        Ok(_) => stage("adding the target wasm32-unknown-unknown", || {
            run(Command::new("rustup").args(["target", "add", "wasm32-unknown-unknown"]).current_dir(root()))
        }),
        // Without rustup the toolchain is somebody else's; cargo will say what it lacks.
        Err(_) => Ok(()),
    }
}
