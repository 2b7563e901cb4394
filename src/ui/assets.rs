//! The manifest that `xtask` writes into the page: where the built site keeps its files.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Addresses are relative to the page, so that the site works under any path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// The CPU trainer's script.
    pub worker: String,
    /// The WebGPU trainer's script, once it is built.
    pub worker_gpu: Option<String>,
    /// Whether that is built, or on its way.
    pub gpu_status: BuildStatus,
    /// Whether the base that is fetched when it is chosen is on the site, or on its way there.
    pub base_status: BuildStatus,
    /// From a logical name (`data/authors.json`) to the hashed file.
    pub files: BTreeMap<String, String>,
    /// Large files in parts, by their logical names.
    pub parts: BTreeMap<String, Vec<Part>>,
}

/// A part of a large file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Part {
    /// Its address.
    pub file: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its digest, as `fetch` checks it: `sha256-…`.
    pub integrity: String,
}

/// How far a piece of the site is: `cargo xtask serve` opens the page before all is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildStatus {
    /// It can be loaded.
    Ready,
    /// It is on its way.
    Building,
    /// This copy of the site does without it.
    #[default]
    Absent,
}

impl Manifest {
    /// Whether something is still on its way to the site.
    pub fn is_being_built(&self) -> bool {
        [self.gpu_status, self.base_status].contains(&BuildStatus::Building)
    }

    /// The script of the WebGPU trainer where it can be loaded.
    pub fn gpu_worker(&self) -> Option<&str> {
        self.worker_gpu.as_deref().filter(|_| self.gpu_status == BuildStatus::Ready)
    }
}
