//! Published crates as carriers of data: cargo downloads them, a manifest pins them, nothing compiles them.

use anyhow::{Context, Result, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The crates that a manifest names, which cargo has downloaded.
pub struct Crates(Vec<Crate>);

struct Crate {
    name: String,
    version: String,
    folder: PathBuf,
}

impl Crates {
    /// Asks cargo where the crates of `manifest` lie. It downloads them if need be.
    pub fn of(manifest: &Path) -> Result<Crates> {
        // The cargo that runs this program knows its own path.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
            .arg(manifest)
            .output()
            .context("cannot run cargo, which finds the tasks' data: is it on PATH?")?;
        ensure!(
            output.status.success(),
            "The tasks' data comes from crates that cargo could not download. With a network connection run `cargo fetch \
             --locked --manifest-path {}`, then this again. Cargo said:\n{}",
            manifest.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let metadata: serde_json::Value =
            serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
        let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
        let found = |package: &serde_json::Value| {
            let folder = Path::new(package["manifest_path"].as_str()?).parent()?.to_path_buf();
            Some(Crate { name: package["name"].as_str()?.into(), version: package["version"].as_str()?.into(), folder })
        };
        Ok(Crates(packages.iter().filter_map(found).collect()))
    }

    /// A file of a crate. `what` names its contents to a person.
    pub fn read(&self, krate: &str, file: &str, what: &str) -> Result<Vec<u8>> {
        let found = self.0.iter().find(|c| c.name == krate).with_context(|| {
            format!("data/Cargo.toml no longer names the crate {krate}, which carries “{what}”: add it back.")
        })?;
        let path = found.folder.join(file);
        fs::read(&path).with_context(|| {
            format!(
                "“{what}” is missing: {} is not there. Delete the folder {} and run this again; cargo then unpacks the \
                 crate {krate} anew.",
                path.display(),
                found.folder.display()
            )
        })
    }

    /// Name and version, as a task's data gives its source.
    pub fn cite(&self, krate: &str) -> String {
        let version = self.0.iter().find(|c| c.name == krate).map_or("", |c| &c.version);
        format!("{krate} {version}")
    }

    #[cfg(test)]
    pub fn in_folder(name: &str, folder: &str) -> Crates {
        Crates(vec![Crate { name: name.into(), version: "1.2.3".into(), folder: folder.into() }])
    }
}

/// A part of a crate's data is too short: what to do about it.
pub fn not_as_pinned(what: &str, krate: &str, has: usize, needed: usize) -> String {
    format!(
        "“{what}” gives {has} texts where {needed} are needed: its file is not the one that data/Cargo.lock pins. Delete the \
         crate {krate}'s folder in cargo's registry and run this again."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_says_what_to_do() {
        let crates = Crates::in_folder("scrunch", "/nowhere");
        let error = crates.read("scrunch", "Dracula.txt", "Dracula").unwrap_err().to_string();
        assert!(error.contains("“Dracula”") && error.contains("Delete the folder /nowhere"), "{error}");
        assert!(crates.read("esaxx-rs", "eighty.txt", "Eighty").unwrap_err().to_string().contains("esaxx-rs"));
        assert_eq!(crates.cite("scrunch"), "scrunch 1.2.3");
    }
}
