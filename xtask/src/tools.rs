//! The pinned helpers of `xtask/tools`: wasm-pack and wasm-bindgen's test runner, built once.

use crate::cargo::{cargo, root, run, stage, target_dir};
use anyhow::Result;
use std::path::PathBuf;

/// Builds what is missing; returns the folder of the binaries.
pub fn build() -> Result<PathBuf> {
    let target = target_dir().join("tools");
    stage("building wasm-pack and wasm-bindgen's test runner (once)", || {
        run(cargo(&["build", "--quiet", "--release", "--locked"])
            .arg("--manifest-path")
            .arg(root().join("xtask/tools/Cargo.toml"))
            .env("CARGO_TARGET_DIR", &target))
    })?;
    Ok(target.join("release"))
}
