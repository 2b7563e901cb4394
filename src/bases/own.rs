//! A base that a visitor brings: what it is called, and what tells it from others.

use super::Checkpoint;
use super::checkpoint::files;
use crate::base::slug;
use serde::{Deserialize, Serialize};

/// A base of a visitor's own: what a configuration has to know of it before its weights are read. Its files
/// are `models/<id>/…` like those of a shipped one.
///
/// Its id ends in the digest of all bytes of its files. So a link or a run file that names it can only mean
/// these weights, and two checkpoints of one shape are two bases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnBase {
    /// Begins with [`OwnBase::PREFIX`], ends in the digest of its contents.
    pub id: String,
    /// As the page writes it, with its size.
    pub title: String,
    /// The text of its `config.json`, or what a file says in its place.
    pub config: String,
    /// Names of its files with weights.
    pub weights: Vec<String>,
    /// Names of the files of its tokenizer.
    pub tokenizer: Vec<String>,
    /// Bytes of its matrices as the files have them; 0 where an earlier version brought it.
    #[serde(default)]
    pub matrices: u64,
}

impl OwnBase {
    /// What tells its id from that of a shipped base.
    pub const PREFIX: &str = "own-";
    /// Characters of its name in an id, at most.
    pub const NAME: usize = 32;
    /// Hexadecimal digits of a digest.
    pub const DIGITS: usize = 16;

    /// A checkpoint whose files have this digest.
    pub fn new(checkpoint: &Checkpoint, digest: &str) -> OwnBase {
        let name = slug(&checkpoint.name, OwnBase::NAME);
        OwnBase {
            id: format!("{}{name}-{digest}", OwnBase::PREFIX),
            title: checkpoint.title(),
            config: checkpoint.config.clone(),
            weights: checkpoint.weights.clone(),
            tokenizer: checkpoint.tokenizer.clone(),
            matrices: checkpoint.matrices,
        }
    }

    /// Names of all its files, in the order of [`Checkpoint::files`].
    pub fn files(&self) -> impl Iterator<Item = &str> {
        files(&self.weights, &self.tokenizer)
    }

    /// The digest in the id of a visitor's base; `None` for any other id.
    pub fn contents(id: &str) -> Option<&str> {
        let (_, digest) = id.strip_prefix(OwnBase::PREFIX)?.rsplit_once('-')?;
        (digest.len() == OwnBase::DIGITS && is_hexadecimal(digest)).then_some(digest)
    }

    /// Whether an id was made by an earlier version, which knew a base by its size alone.
    pub fn is_of_sizes(id: &str) -> bool {
        let digest = id.strip_prefix(OwnBase::PREFIX).and_then(|rest| rest.rsplit_once('-')).map(|(_, digest)| digest);
        digest.is_some_and(|digest| digest.len() == 8 && is_hexadecimal(digest))
    }
}

fn is_hexadecimal(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase())
}
