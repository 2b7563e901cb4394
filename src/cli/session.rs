//! Sessions: a new one, or one at its end with a stored φ.

use super::adapter_folder::read_folder;
use super::disk::Disk;
use super::flags::of_a_run;
use super::sentence::Sentence;
use super::user_data;
use crate::base::{Failure, clock};
use crate::bases::Base;
use crate::config::keys::METHOD;
use crate::config::{DeviceChoice, Key, RunConfig};
use crate::interchange::phi_file::StoredPhi;
use crate::interchange::{RunFile, RunFileError, adapter_base, hf_adapter, phi_file};
use crate::train::Session;
use crate::train::library::{LoadedBase, Materials};
use crate::train::micro_batch::Helpers;
use crate::train::micro_batch::threads::Threads;
use burn::tensor::Device;
use clap::ArgMatches;
use std::rc::Rc;

/// Flags that say nothing of what a run trains.
const BESIDE: [&str; 9] = ["run", "adapter", "lambda", "input", "logits", "temperature", "top-k", "tokens", "drawn-by"];

/// A session at its start: on the CPU, unless the run asks for WebGPU and the build has it.
pub(super) async fn session(config: RunConfig) -> Result<Session, Failure> {
    let (device, name) = device(config.device);
    let files = Disk::default();
    let base = Rc::new(LoadedBase::of(&config, &files, &device).await?);
    let materials = Materials::load(&config, &files).await?;
    let workers = config.workers.unwrap_or(1);
    let helpers =
        (workers > 1 && name == "cpu").then(|| Rc::new(Threads::new(&base.theta, workers - 1)) as Rc<dyn Helpers>);
    let mut session = Session::new(0, config, base, &materials, &device, name, clock)?;
    session.help(helpers);
    Ok(session)
}

/// The device that a run is trained on here, and its name in events.
fn device(choice: DeviceChoice) -> (Device, &'static str) {
    match choice {
        #[cfg(feature = "webgpu")]
        DeviceChoice::Webgpu => (Device::wgpu(Default::default()), "webgpu"),
        _ => (Device::flex(), "cpu"),
    }
}

/// The last run of a file. Its base, where it is somebody's own, has been brought before.
pub(super) fn last_run(path: &str) -> Result<RunFile, Sentence> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path} cannot be read: {e}"))?;
    let runs = RunFile::read_all(&text).map_err(|e| match e {
        RunFileError::Absent(message) => format!("{path}: {message} --base-folder names them."),
        e => format!("{path}: {e}"),
    })?;
    runs.into_iter().next_back().ok_or_else(|| format!("{path}: the run file is empty"))
}

/// A stored φ, and the run that it belongs to.
pub(super) struct Stored {
    /// What was trained, and on what.
    pub config: RunConfig,
    /// φ's values.
    pub phi: StoredPhi,
}

impl Stored {
    /// A session at its end with this φ.
    pub async fn session(self) -> Result<Session, Failure> {
        let mut session = session(self.config).await?;
        session.restore(self.phi);
        Ok(session)
    }
}

/// The φ that `--run` or `--adapter` names, and its run; `None` without either. `config` is given the base that an
/// adapter names where no flag does.
pub(super) fn stored(
    args: &ArgMatches,
    config: impl FnOnce(Option<&Base>) -> Result<RunConfig, Sentence>,
) -> Result<Option<Stored>, Sentence> {
    let given = |name: &str| args.try_get_one::<String>(name).ok().flatten();
    if let Some(path) = given("run") {
        if let Some(flag) = of_a_run(args).into_iter().find(|flag| !BESIDE.contains(flag)) {
            let flag = flag.replace('_', "-");
            return Err(format!("--run takes everything from {path}: leave --{flag} out."));
        }
        // A run on one's own base or data is read once they are here.
        let brought = user_data::pairs(args)?;
        let run = last_run(path)?;
        if let Some((_, base)) = brought.iter().find(|(key, id)| key == "base" && id != run.config.base.id) {
            return Err(format!("{path} is a run on {}, and --base-folder names {base}.", run.config.base.id));
        }
        let tensors = run.phi_bytes();
        let tensors =
            tensors.ok_or_else(|| format!("{path} holds no φ: `train --out` writes it at the run's end."))??;
        let phi = phi_file::parse(&run.config, &run.config.shape(), &tensors).map_err(|e| e.to_string())?;
        return Ok(Some(Stored { config: run.config, phi }));
    }
    if let Some(folder) = given("adapter") {
        let of_a_method = |flag: &&str| *flag == METHOD.name || (Key::named(flag).is_none() && !BESIDE.contains(flag));
        if let Some(flag) = of_a_run(args).into_iter().find(of_a_method) {
            let flag = flag.replace('_', "-");
            return Err(format!("{folder} says itself what method it is: leave --{flag} out."));
        }
        let files = read_folder(folder)?;
        let base = match given("base").or(given("base-folder")) {
            Some(_) => None,
            None => Some(adapter_base::chosen(&files.config)?),
        };
        let (config, phi) = hf_adapter::import(&config(base)?, &files).map_err(|e| e.to_string())?;
        if let Some(told) = adapter_base::told(&files.config, config.base) {
            eprintln!("peft-lab: {told}");
        }
        return Ok(Some(Stored { config, phi }));
    }
    Ok(None)
}
