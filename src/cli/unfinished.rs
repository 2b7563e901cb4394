//! Runs that end before their last step: Ctrl-C, SIGTERM and SIGHUP keep what there is, and `train --resume` goes on
//! with it.

use super::flags;
use super::sentence::Sentence;
use super::session::last_run;
use super::user_data;
use crate::config::RunConfig;
use crate::protocol::Event;
use clap::{Arg, ArgMatches};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell makes of a program that Ctrl-C ended.
pub(super) const INTERRUPTED: i32 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// `--resume`
pub(super) fn arg() -> Arg {
    let help = "Go on with the run that Ctrl-C left in this file, to the same curve; without --out in its place";
    Arg::new("resume").long("resume").value_name("RUN").help(help)
}

/// From now on the first Ctrl-C only asks, so that the run can be written; the second ends the program. On Unix SIGTERM
/// and SIGHUP do the same, but for a SIGHUP that `nohup` has shut out.
pub(super) fn watch() -> Result<(), Sentence> {
    #[cfg(unix)]
    let hang_up = hang_up::Hangup::of_parent();
    let asked = || {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    };
    ctrlc::set_handler(asked).map_err(|e| format!("Ctrl-C cannot be watched for: {e}"))?;
    #[cfg(unix)]
    hang_up.keep();
    Ok(())
}

/// What the parent has said about a terminal that hangs up.
#[cfg(unix)]
mod hang_up {
    use nix::sys::signal::{SigHandler, Signal, signal};

    pub struct Hangup {
        ignored: bool,
    }

    impl Hangup {
        /// As it stands. Whoever asks sets it at once anew.
        pub fn of_parent() -> Hangup {
            Hangup { ignored: matches!(ignore(), Some(SigHandler::SigIgn)) }
        }

        /// Passes over hang-ups again where the parent did.
        pub fn keep(self) {
            if self.ignored {
                ignore();
            }
        }
    }

    fn ignore() -> Option<SigHandler> {
        // SAFETY: to ignore a signal runs no code of ours.
        unsafe { signal(Signal::SIGHUP, SigHandler::SigIgn) }.ok()
    }
}

/// Whether Ctrl-C was pressed, or the program was asked to end otherwise.
pub(super) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// A run that ended before its last step.
pub(super) struct Unfinished {
    /// What it trains.
    pub config: RunConfig,
    /// What it has reported.
    pub events: Vec<Event>,
    /// Its φ, with the state of its training.
    pub tensors: Vec<u8>,
}

/// The run that `--resume` names.
pub(super) fn resumed(args: &ArgMatches) -> Result<Option<Unfinished>, Sentence> {
    let Some(path) = args.get_one::<String>("resume") else { return Ok(None) };
    // A run on data or a base of one's own names them again.
    let brought = user_data::pairs(args)?;
    if let Some(flag) = flags::of_a_run(args).into_iter().find(|flag| !brought.iter().any(|(key, _)| key == flag)) {
        let flag = flag.replace('_', "-");
        return Err(format!("--resume takes the run's settings from {path}: leave --{flag} out."));
    }
    let run = last_run(path)?;
    if run.is_finished() {
        return Err(format!("{path} holds a run that has finished: nothing is left to train."));
    }
    let tensors = run.phi_bytes();
    let tensors = tensors.ok_or_else(|| {
        format!(
            "{path} holds no φ to go on with: Ctrl-C writes it under `train --out`, and so does “Save run” on the page."
        )
    })??;
    Ok(Some(Unfinished { config: run.config, events: run.events, tensors }))
}

/// A run file under way.
pub(super) struct Out {
    file: File,
    /// Where the lines go, and where they belong at the end.
    places: Option<(PathBuf, PathBuf)>,
}

impl Out {
    /// The file that `--out` names, or that `--resume` does; `None` without either.
    pub fn open(args: &ArgMatches) -> Result<Option<Out>, Sentence> {
        let (out, resume) = (args.get_one::<String>("out"), args.try_get_one::<String>("resume").ok().flatten());
        let Some(path) = out.or(resume) else { return Ok(None) };
        user_data::spare(args, path)?;
        // The run so far stays as it is until there is more of it.
        let places = (resume == Some(path)).then(|| (PathBuf::from(format!("{path}.part")), PathBuf::from(path)));
        let written = places.as_ref().map_or_else(|| PathBuf::from(path), |(part, _)| part.clone());
        let file = File::create(&written).map_err(|e| format!("{} cannot be written: {e}", written.display()))?;
        Ok(Some(Out { file, places }))
    }

    /// Adds a line.
    pub fn line(&mut self, line: &str) -> Result<(), Sentence> {
        writeln!(self.file, "{line}").map_err(|e| format!("the run file cannot be written: {e}"))
    }

    /// Puts the file in its place.
    pub fn end(self) -> Result<(), Sentence> {
        let Some((part, path)) = self.places else { return Ok(()) };
        std::fs::rename(&part, &path).map_err(|e| format!("{} cannot be written: {e}", path.display()))
    }
}

/// What is said of a run that Ctrl-C ended.
pub(super) fn farewell(args: &ArgMatches, step: usize, steps: usize) -> Sentence {
    let kept = args.get_one::<String>("out").or_else(|| args.get_one::<String>("resume"));
    match kept {
        Some(path) => {
            let own = user_data::typed(args);
            format!(
                "stopped at step {step} of {steps}; `peft-lab train --resume {path}{own}` goes on to the same curve"
            )
        }
        None => format!("stopped at step {step} of {steps}; --out would have kept it"),
    }
}
