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
    pub gpu_status: GpuStatus,
    /// From a logical name (`data/authors.json`) to the hashed file.
    pub files: BTreeMap<String, String>,
}

/// How far the WebGPU trainer's build is: `cargo xtask serve` opens the page before it is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GpuStatus {
    /// It can be loaded.
    Ready,
    /// It is being built.
    Building,
    /// This copy of the site has none.
    #[default]
    Absent,
}

impl Manifest {
    /// The script of the WebGPU trainer where it can be loaded.
    pub fn gpu_worker(&self) -> Option<&str> {
        self.worker_gpu.as_deref().filter(|_| self.gpu_status == GpuStatus::Ready)
    }
}
