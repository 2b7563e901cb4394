//! A large file of the site in parts: each is fetched, checked and kept by itself, so that a connection that breaks
//! costs one of them.

use crate::compress::replace;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of a part: a second or two of a slow line.
const BYTES: u64 = 4 << 20;

/// A part as the manifest has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Its address, relative to the page; it changes with its contents.
    pub file: String,
    /// How many bytes it has.
    pub bytes: usize,
    /// Its digest in the form that a browser checks it by: `sha256-…`.
    pub integrity: String,
}

/// Writes a file in parts below `dist`. Their names are its own with a digest. Weights do not compress.
pub fn write(file: &Path, name: &str, dist: &Path) -> Result<Vec<Part>> {
    let unread = || format!("cannot read {}", file.display());
    let mut source = File::open(file).with_context(unread)?;
    let mut parts = Vec::new();
    loop {
        let mut contents = Vec::new();
        source.by_ref().take(BYTES).read_to_end(&mut contents).with_context(unread)?;
        if contents.is_empty() {
            return Ok(parts);
        }
        let digest = Sha256::digest(&contents);
        let hash: String = digest.iter().take(6).map(|b| format!("{b:02x}")).collect();
        let part = Part {
            file: format!("{name}-{hash}.part"),
            bytes: contents.len(),
            integrity: format!("sha256-{}", STANDARD.encode(digest)),
        };
        replace(&dist.join(&part.file), &contents)?;
        parts.push(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_behind_each_other_are_the_file() {
        let folder = std::env::temp_dir().join(format!("xtask-parts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let whole: Vec<u8> = (0..BYTES * 2 + 5).map(|i| (i % 251) as u8).collect();
        std::fs::write(folder.join("whole"), &whole).unwrap();
        let parts = write(&folder.join("whole"), "models/a/b.gguf", &folder).unwrap();
        assert_eq!(parts.iter().map(|part| part.bytes).collect::<Vec<_>>(), [BYTES as usize, BYTES as usize, 5]);
        let read: Vec<u8> = parts.iter().flat_map(|part| std::fs::read(folder.join(&part.file)).unwrap()).collect();
        assert!(read == whole);
        assert!(parts[0].file.starts_with("models/a/b.gguf-") && parts[0].file != parts[1].file);
        // SHA-256 of five bytes, by another program.
        assert_eq!(parts[2].integrity, "sha256-ctTc24RxTY7CJymbjBCNplzpJN7xyj6N9Wod5b+HFLs=");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
