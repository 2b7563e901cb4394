//! `peft-lab train`: a run to its end, its events as lines.

use super::flags::config;
use super::sentence::Sentence;
use super::session::session;
use super::taken::{report, say};
use super::unfinished;
use super::unfinished::{Out, Unfinished};
use crate::base::{Failure, FailureReason};
use crate::config::DeviceChoice;
use crate::interchange::{Made, RunFile};
use crate::peft::trainable_line;
use crate::protocol::{Event, PartScore};
use clap::ArgMatches;
use std::io::Write;

/// Trains φ. Events go to standard output, and to the run file where one is named. Ctrl-C or SIGTERM ends a run
/// between two steps, and the file then holds what `--resume` needs.
pub(super) async fn train(args: &ArgMatches) -> Result<(), Sentence> {
    let resumed = unfinished::resumed(args)?;
    let config = match &resumed {
        Some(run) => run.config.clone(),
        None => config(args)?,
    };
    if config.device == DeviceChoice::Webgpu && !cfg!(feature = "webgpu") {
        return Err("This build trains on the CPU: use --device cpu, or a build with the feature webgpu.".into());
    }
    let mut out = Out::open(args)?;
    unfinished::watch()?;
    let json = args.get_flag("json");
    let taken = report(&config).await;
    match json {
        // Standard output is for events.
        true => say(&taken),
        false => taken.iter().for_each(|line| drop(writeln!(std::io::stdout(), "{line}"))),
    }
    let saves = out.is_some();
    let mut emit = |events: Vec<Event>, again: bool| -> Result<(), Sentence> {
        for event in events {
            let line = serde_json::to_string(&event).map_err(|e| e.to_string())?;
            if let Some(out) = &mut out {
                out.line(&line)?;
            }
            // A reader that has seen enough closes the pipe; the run file is still written to its end.
            let saved = again || matches!(event, Event::Phi { .. } | Event::Made { .. });
            let text = if json { Some(line).filter(|_| !saved) } else { describe(&event).filter(|_| !again) };
            if let Some(text) = text {
                let _ = writeln!(std::io::stdout(), "{text}");
            }
        }
        Ok(())
    };
    // Where it stopped before its end: steps done, of how many.
    let run = async || -> Result<Option<(usize, usize)>, Failure> {
        let mut session = session(config).await?;
        let unwritten = |message| Failure { reason: FailureReason::Load, message };
        if saves {
            emit(vec![Made::here(hardware()).event()], false).map_err(unwritten)?;
        }
        match resumed {
            Some(Unfinished { events, tensors, .. }) => {
                session.reopen(&events, &tensors)?;
                session.go_on().await?;
                // What was stopped then goes on now.
                let kept = events.into_iter().filter(|e| !matches!(e, Event::Stopped { .. })).collect();
                emit(kept, true).map_err(unwritten)?;
                emit(vec![Event::Resumed { run: 0, step: session.step() }], false).map_err(unwritten)?;
            }
            None => emit(session.begin().await?, false).map_err(unwritten)?,
        }
        while !session.done() && !unfinished::asked() {
            emit(session.advance(false).await?, false).map_err(unwritten)?;
        }
        let stopped = (!session.done()).then(|| (session.step(), session.config().steps));
        if let Some((step, _)) = stopped {
            emit(vec![Event::Stopped { run: 0, step }], false).map_err(unwritten)?;
        }
        if saves && (stopped.is_none() || session.is_under_way()) {
            emit(vec![RunFile::phi_event(0, &session.save().await?)], false).map_err(unwritten)?;
        }
        Ok(stopped)
    };
    let stopped = match run().await {
        Ok(stopped) => stopped,
        Err(failure) => {
            emit(vec![Event::Failed { run: 0, reason: failure.reason, message: failure.message.clone() }], false)?;
            return Err(failure.message);
        }
    };
    out.map_or(Ok(()), Out::end)?;
    if let Some((step, steps)) = stopped {
        // A terminal that hung up hears nothing any more.
        let _ = writeln!(std::io::stderr(), "peft-lab: {}", unfinished::farewell(args, step, steps));
        std::process::exit(unfinished::INTERRUPTED);
    }
    Ok(())
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
        Event::Evaluated { step, loss, accuracy, n, parts, .. } => {
            Some(format!("step {step:5}  held-out loss {loss:.4}  accuracy {accuracy:.3} of {n}{}", told_parts(parts)))
        }
        Event::Finished { step, loss, accuracy, n, parts, seconds, .. } => Some(format!(
            "finished {step} steps in {seconds:.1} s  held-out loss {loss:.4}  accuracy {accuracy:.3} of {n}{}",
            told_parts(parts)
        )),
        _ => None,
    }
}

/// What of answers that are written freely is right.
fn told_parts(parts: &[PartScore]) -> String {
    parts.iter().map(|part| format!("  {} {:.3} of {}", part.name, part.accuracy, part.n)).collect()
}

/// Processor and system, for the run file.
fn hardware() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} {}, {threads} threads, native", std::env::consts::OS, std::env::consts::ARCH)
}
