//! Commands go to the trainer, [`Event`]s come back; both travel as JSON text.

use super::bytes::Bytes;
use super::event::Event;
use super::writing::Writing;
use crate::bases::OwnBase;
use crate::config::RunConfig;
use serde::{Deserialize, Serialize};

/// What the page asks of the trainer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// The first message to a worker: where files are. Answered by `ready`, or by `failed` where there is no
    /// device.
    Init {
        /// Where files are.
        assets: AssetUrls,
    },
    /// Fetch a base and task ahead of a run, so that Train starts at once. Not answered.
    Prefetch {
        /// Base, task, method and the rest.
        config: RunConfig,
    },
    /// Tell how fast this machine trains a base, which need not be here yet; it takes a second. Answered by
    /// `probed`, where nothing is being trained.
    Probe {
        /// Base, method and the rest.
        config: RunConfig,
    },
    /// Read all bytes of a checkpoint's files for the digest that tells it from others. Answered by
    /// `identifying` …, then `identified` or `unidentified`; only the latest is answered.
    Identify {
        /// What the answer refers to.
        number: u32,
        /// Names and addresses, in the order of `Checkpoint::files`.
        files: Vec<(String, String)>,
    },
    /// Begin a run, in place of one that is under way. With `paused` it waits at step 0 for `step` or
    /// `resume`.
    Start {
        /// The run's number.
        run: u32,
        /// Base, task, method and the rest.
        config: RunConfig,
        /// Whether it waits at step 0.
        paused: bool,
    },
    /// Stop stepping, until `resume`, `step` or another run. Answered by `paused`.
    Pause,
    /// Step on. Answered by `resumed`.
    Resume,
    /// One step, then pause.
    Step,
    /// End the run, or a measurement of prompts. Answered by `stopped`.
    Stop,
    /// Go on with a run that the trainer holds and that has steps left, in place of one under way. Answered by
    /// `resumed`: what was reported after its step comes again.
    GoOn {
        /// The run's number.
        run: u32,
    },
    /// Report `snapshot` events of runs that train, or no longer: about one a second, fewer where they take long; and
    /// where a run pauses, stops or ends.
    Keep {
        /// Whether anybody keeps them.
        on: bool,
    },
    /// Score and answer at θ ⊕ λφ with the φ of a run that the trainer still holds. Answered by `dialled`.
    Dial {
        /// The run's number.
        run: u32,
        /// λ, 0 to 1.5.
        lambda: f64,
    },
    /// Answered by `run_file`.
    Save {
        /// The run's number.
        run: u32,
    },
    /// Answered by `adapter`.
    Export {
        /// The run's number.
        run: u32,
    },
    /// Fold a run's φ into a copy of θ. Answered by `merged`.
    Merge {
        /// The run's number.
        run: u32,
    },
    /// Take in a run file as a run.
    Restore {
        /// The run's number.
        run: u32,
        /// Base, task, method and the rest.
        config: RunConfig,
        /// What the run reported.
        events: Vec<Event>,
        /// φ as a safetensors file; beside the JSON.
        #[serde(skip)]
        tensors: Vec<u8>,
    },
    /// Take in an adapter of Hugging Face PEFT for the base and task of `config`. Answered by the events of a
    /// run that is at its end.
    Import {
        /// The run's number.
        run: u32,
        /// Base, task, method and the rest.
        config: RunConfig,
        /// The text of `adapter_config.json`.
        adapter_config: String,
        /// `adapter_model.safetensors`; beside the JSON.
        #[serde(skip)]
        weights: Vec<u8>,
    },
    /// Score in-context learning after many prompts around the one of `config`, while nothing trains.
    /// Answered by `spread` events; `stop` ends it.
    Spread {
        /// The run's number.
        run: u32,
        /// Base, task, method and the rest.
        config: RunConfig,
    },
    /// The run is no longer on the page.
    Forget {
        /// The run's number.
        run: u32,
    },
    /// Answer what a visitor typed, with θ alone and with the present φ.
    /// Before any run it answers with the φ a run of `config` would start from.
    Predict {
        /// The run's number.
        run: u32,
        /// Base, task, method and the rest.
        config: RunConfig,
        /// What was typed.
        text: String,
        /// φ's share of θ ⊕ λφ.
        #[serde(default = "whole")]
        lambda: f64,
    },
    /// Go on with a text, θ alone and θ ⊕ λφ in turns, token by token, with the φ of a run that the trainer holds, else
    /// with the φ that a run of `config` would start from. Answered by `wrote` …, or by `unwritten`. Another text, a
    /// run that begins or goes on, and `stop` end it.
    Write {
        /// The run's number.
        run: u32,
        /// Base, task, method and the rest.
        config: RunConfig,
        /// The text, and how it is gone on with.
        writing: Writing,
    },
    /// End what is being written; a run under way goes on. Answered by `wrote`, where something is.
    StopWriting,
}

/// φ as it was trained.
fn whole() -> f64 {
    1.0
}

impl Bytes for Command {
    fn bytes(&self) -> Option<(&'static str, &Vec<u8>)> {
        match self {
            Command::Restore { tensors, .. } => Some(("tensors", tensors)),
            Command::Import { weights, .. } => Some(("weights", weights)),
            _ => None,
        }
    }

    fn bytes_mut(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Command::Restore { tensors: bytes, .. } | Command::Import { weights: bytes, .. } => Some(bytes),
            _ => None,
        }
    }
}

/// Absolute addresses of what the trainer loads, resolved by the page so that the site works under any path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetUrls {
    /// From a logical name (`models/rules/model.safetensors`, `data/authors.json`) to its address.
    pub files: std::collections::BTreeMap<String, String>,
    /// Bases that the visitor brought: configurations may name them.
    #[serde(default)]
    pub bases: Vec<OwnBase>,
}

impl AssetUrls {
    /// Where the files of a base are. Other addresses for the same id are other files.
    pub fn of_base(&self, id: &str) -> Vec<(&str, &str)> {
        let folder = format!("models/{id}/");
        let files = self.files.iter().filter(|(name, _)| name.starts_with(&folder));
        files.map(|(name, address)| (name.as_str(), address.as_str())).collect()
    }
}
