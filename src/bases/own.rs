//! A base that a visitor brings: what it is called, and what tells it from others.

use super::{Base, Checkpoint};
use crate::base::{shorten, slug};
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
    /// The text of its `config.json`.
    pub config: String,
    /// Names of its files with weights.
    pub weights: Vec<String>,
    /// Names of the files of its tokenizer.
    pub tokenizer: Vec<String>,
}

impl OwnBase {
    /// What tells its id from that of a shipped base.
    pub const PREFIX: &str = "own-";
    /// Hexadecimal digits of a digest.
    pub const DIGITS: usize = 16;

    /// A checkpoint whose files have this digest.
    pub fn new(checkpoint: &Checkpoint, digest: &str) -> OwnBase {
        let name = slug(&checkpoint.name);
        OwnBase {
            id: format!("{}{name}-{digest}", OwnBase::PREFIX),
            title: format!("{name} · {}", size(checkpoint.model.parameters())),
            config: checkpoint.config.clone(),
            weights: checkpoint.weights.clone(),
            tokenizer: checkpoint.tokenizer.clone(),
        }
    }

    /// The digest in the id of a visitor's base; `None` for any other id.
    pub fn contents(id: &str) -> Option<&str> {
        let (_, digest) = id.strip_prefix(OwnBase::PREFIX)?.rsplit_once('-')?;
        (digest.len() == OwnBase::DIGITS && is_hexadecimal(digest)).then_some(digest)
    }

    /// What is said where an id names a visitor's base that is not here.
    pub fn absent(id: &str) -> String {
        let shown = shorten(id);
        let name = |id: &str| id.rsplit_once('-').map(|(name, _)| name.to_string());
        let digest = id.rsplit_once('-').map_or("", |(_, digest)| digest);
        if OwnBase::contents(id).is_none() && digest.len() == 8 && is_hexadecimal(digest) {
            return format!(
                "“{shown}” is a base as earlier versions named it, by its size alone, which does not tell its weights. Bring the checkpoint, and write the name that it has now in the place of this one."
            );
        }
        match Base::own().into_iter().find(|base| name(base.id) == name(id)) {
            Some(here) => format!(
                "“{shown}” is a base of the same name as {} but of other contents: bring the files that it was.",
                here.id
            ),
            None => format!("“{shown}” is a base of its owner's, which is not here: bring its files first."),
        }
    }
}

fn is_hexadecimal(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase())
}

/// `11 k`, `0.3 M`, `125 M`, `1.3 B`.
fn size(parameters: u64) -> String {
    match parameters as f64 {
        n if n < 5e4 => format!("{:.0} k", n / 1e3),
        n if n < 9.95e6 => format!("{:.1} M", n / 1e6),
        n if n < 9.995e8 => format!("{:.0} M", n / 1e6),
        n => format!("{:.1} B", n / 1e9),
    }
}
