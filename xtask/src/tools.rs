//! The pinned helper of `xtask/tools`: wasm-bindgen's test runner, built once.

use crate::cargo::{cargo, root, run, stage, target_dir};
use anyhow::Result;
use std::path::PathBuf;

/// Builds the test runner where it is missing; returns where it lies.
pub fn test_runner() -> Result<PathBuf> {
    let target = target_dir().join("tools");
    stage("building wasm-bindgen's test runner (once)", || {
        run(cargo(&["build", "--quiet", "--release", "--locked"])
            .arg("--manifest-path")
            .arg(root().join("xtask/tools/Cargo.toml"))
            .env("CARGO_TARGET_DIR", &target))
    })?;
    Ok(target.join("release/wasm-bindgen-test-runner"))
}
#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The version that a lock file gives a package.
    fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
        let start = format!("name = \"{package}\"\nversion = \"");
        lock.split(&start).nth(1)?.split('"').next()
    }

    #[test]
    fn library_and_helper_of_wasm_bindgen_have_one_version() {
        let read = |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let (main, tools) = (read("../Cargo.lock"), read("tools/Cargo.lock"));
        let version = locked(&main, "wasm-bindgen").unwrap();
        for (lock, package) in [(&main, "wasm-bindgen-cli-support"), (&tools, "wasm-bindgen-cli")] {
            assert_eq!(
                locked(lock, package),
                Some(version),
                "{package} must have wasm-bindgen's version, they share a schema"
            );
        }
    }
}
