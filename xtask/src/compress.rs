//! Files as servers send them: gzip for every browser, brotli for those on HTTPS and on this machine.

use crate::cargo::target_dir;
use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The best quality takes seconds for each megabyte; beyond this, a trainer on WebGPU, it would take minutes.
const BEST_BELOW: usize = 8 << 20;
/// What is smaller takes no time.
const SMALL: usize = 256 << 10;
/// Searches of zopfli for a smaller gzip: more than these take longer and save nothing worth it.
const SEARCHES: NonZeroU64 = NonZeroU64::new(3).unwrap();
/// What no build has used for so long is forgotten.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// A file's compressed forms.
pub struct Compressed {
    pub gzip: Vec<u8>,
    pub brotli: Vec<u8>,
}

/// Both forms. They are kept beside what cargo builds: most files are those of the build before.
pub fn compressed(contents: &[u8]) -> Result<Compressed> {
    let folder = target_dir().join("compressed");
    let digest = Sha256::digest(contents);
    let name: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    // Code is what everybody waits for.
    let best = contents.starts_with(b"\0asm") && contents.len() < BEST_BELOW || contents.len() < SMALL;
    let gzip = || {
        kept(&folder.join(format!("{name}-{SEARCHES}.gz")), || {
            let mut gzip = Vec::new();
            if best {
                let options = zopfli::Options { iteration_count: SEARCHES, ..Default::default() };
                zopfli::compress(options, zopfli::Format::Gzip, contents, &mut gzip)?;
            } else {
                let mut encoder = GzEncoder::new(&mut gzip, Compression::best());
                encoder.write_all(contents)?;
                encoder.finish()?;
            }
            Ok(gzip)
        })
    };
    let brotli = || {
        kept(&folder.join(format!("{name}.br")), || {
            let quality = if best { 11 } else { 9 };
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1 << 16, quality, 24);
            encoder.write_all(contents)?;
            encoder.flush()?;
            Ok(encoder.into_inner())
        })
    };
    // Both at once: of a trainer each takes ten seconds and more.
    let (gzip, brotli) = std::thread::scope(|scope| {
        let gzip = scope.spawn(gzip);
        let brotli = brotli();
        (gzip.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), brotli)
    });
    Ok(Compressed { gzip: gzip?, brotli: brotli? })
}

fn kept(path: &Path, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    if let Ok(contents) = std::fs::read(path) {
        // Best effort: it says that this one is still used.
        let _ = std::fs::File::options().write(true).open(path).and_then(|f| f.set_modified(SystemTime::now()));
        return Ok(contents);
    }
    let contents = make()?;
    replace(path, &contents)?;
    Ok(contents)
}

/// Deletes what no build has used for long.
pub fn forget_old() {
    let Ok(entries) = std::fs::read_dir(target_dir().join("compressed")) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let age = path.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > KEPT) {
            // Another build may have been faster.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Writes a file and its compressed forms beside it.
pub fn write_all_forms(path: &Path, contents: &[u8]) -> Result<()> {
    let Compressed { gzip, brotli } = compressed(contents)?;
    replace(&with_ending(path, "gz"), &gzip)?;
    replace(&with_ending(path, "br"), &brotli)?;
    replace(path, contents)
}

pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{ending}", path.display()))
}

/// Writes beside the file, then moves: who asks for it meanwhile never gets half of it.
pub fn replace(path: &Path, contents: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let partial = with_ending(path, "partial");
    std::fs::write(&partial, contents)
        .and_then(|()| std::fs::rename(&partial, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn both_forms_are_the_file_and_smaller() {
        let contents = "The same words, again and again. ".repeat(100).into_bytes();
        for _ in 0..2 {
            // The second time from what is kept.
            let Compressed { gzip, brotli } = compressed(&contents).unwrap();
            let (mut one, mut other) = (Vec::new(), Vec::new());
            flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut one).unwrap();
            brotli::Decompressor::new(&brotli[..], 4096).read_to_end(&mut other).unwrap();
            assert!(one == contents && other == contents);
            assert!(gzip.len() < contents.len() && brotli.len() < gzip.len());
        }
    }
}
