//! `peft-lab train`: a run to its end, its events as lines.

use super::flags::config;
use super::sentence::Sentence;
use super::session::session;
use super::taken::{report, say};
use crate::base::{Failure, FailureReason};
use crate::config::DeviceChoice;
use crate::interchange::{Made, RunFile};
use crate::peft::trainable_line;
use crate::protocol::Event;
use clap::ArgMatches;
use std::io::Write;

/// Trains φ. Events go to standard output, and to the run file where one is named.
pub(super) async fn train(args: &ArgMatches) -> Result<(), Sentence> {
    let config = config(args)?;
    if config.device == DeviceChoice::Webgpu {
        return Err("This build trains on the CPU; WebGPU is the browser's. Use --device cpu.".into());
    }
    let json = args.get_flag("json");
    let taken = report(&config).await;
    match json {
        // Standard output is for events.
        true => say(&taken),
        false => taken.iter().for_each(|line| drop(writeln!(std::io::stdout(), "{line}"))),
    }
    let mut out = match args.get_one::<String>("out") {
        Some(path) => Some(std::fs::File::create(path).map_err(|e| format!("{path} cannot be written: {e}"))?),
        None => None,
    };
    let saves = out.is_some();
    let mut emit = |events: Vec<Event>| -> Result<(), Sentence> {
        for event in events {
            let line = serde_json::to_string(&event).map_err(|e| e.to_string())?;
            if let Some(file) = &mut out {
                writeln!(file, "{line}").map_err(|e| format!("the run file cannot be written: {e}"))?;
            }
            // A reader that has seen enough closes the pipe; the run file is still written to its end.
            let saved = matches!(event, Event::Phi { .. } | Event::Made { .. });
            let text = if json { Some(line).filter(|_| !saved) } else { describe(&event) };
            if let Some(text) = text {
                let _ = writeln!(std::io::stdout(), "{text}");
            }
        }
        Ok(())
    };
    let run = async || -> Result<(), Failure> {
        let mut session = session(config).await?;
        let unwritten = |message| Failure { reason: FailureReason::Load, message };
        if saves {
            emit(vec![Made::here(hardware()).event()]).map_err(unwritten)?;
        }
        emit(session.begin().await?).map_err(unwritten)?;
        while !session.done() {
            emit(session.advance(false).await?).map_err(unwritten)?;
        }
        if saves {
            emit(vec![RunFile::phi_event(0, &session.save().await?)]).map_err(unwritten)?;
        }
        Ok(())
    };
    match run().await {
        Ok(()) => Ok(()),
        Err(failure) => {
            emit(vec![Event::Failed { run: 0, reason: failure.reason, message: failure.message.clone() }])?;
            Err(failure.message)
        }
    }
}

/// An event for a person; nothing for those that only scripts and run files need.
fn describe(event: &Event) -> Option<String> {
    match event {
        Event::Started { config, trainable, total, baselines, .. } => Some(format!(
            "{} on {} ({})\n{}\nchance {:.3}, majority {:.3}, bag of words {:.3}",
            config.label(),
            config.task.title(),
            config.base.id,
            trainable_line(*trainable, *total),
            baselines.chance,
            baselines.majority,
            baselines.bag_of_words
        )),
        Event::Evaluated { step, loss, accuracy, n, .. } => {
            Some(format!("step {step:5}  held-out loss {loss:.4}  accuracy {accuracy:.3} of {n}"))
        }
        Event::Finished { step, loss, accuracy, n, seconds, .. } => Some(format!(
            "finished {step} steps in {seconds:.1} s  held-out loss {loss:.4}  accuracy {accuracy:.3} of {n}"
        )),
        _ => None,
    }
}

/// Processor and system, for the run file.
fn hardware() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} {}, {threads} threads, native", std::env::consts::OS, std::env::consts::ARCH)
}
