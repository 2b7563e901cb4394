//! A recorded run: JSON lines of events, as `peft-lab train --json` prints them.

use super::base64::{base64, from_base64};
use crate::base::read_json;
use crate::bases::{Base, OwnBase};
use crate::config::RunConfig;
use crate::protocol::KeptScore;
use crate::protocol::{Event, PartScore, Prediction};
use crate::task::Baselines;

/// A run read back from its events, ready to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFile {
    /// What was trained.
    pub config: RunConfig,
    /// What it was trained on.
    pub device: String,
    /// Elements of φ.
    pub trainable: u64,
    /// Elements of θ and of what φ adds to it.
    pub total: u64,
    /// What scores without a network.
    pub baselines: Baselines,
    /// (step, training loss)
    pub losses: Vec<(usize, f32)>,
    /// (step, held-out loss, accuracy, n)
    pub evaluations: Vec<(usize, f32, f64, usize)>,
    /// What of answers that are written freely was right, the last time.
    pub parts: Vec<PartScore>,
    /// The last answers on held-out examples.
    pub examples: Vec<Prediction>,
    /// Of the last step: (step, loss, accuracy, n, seconds).
    pub finished: Option<(usize, f32, f64, usize, f64)>,
    /// What a prediction reads and takes: tokens on average, milliseconds.
    pub prediction: Option<(f64, f64)>,
    /// The most bytes that were counted in a step.
    pub peak: Option<u64>,
    /// What the base could do before, at each step where it was scored.
    pub kept: Vec<(usize, KeptScore)>,
    /// Median milliseconds per step: a machine that was busy for a while does not count.
    pub ms_per_step: f64,
    /// Versions and hardware, where the file says them.
    pub made: Option<Made>,
    /// φ as a safetensors file in base64, where the file holds it. Of a run that has not ended it also holds what
    /// training needs to go on.
    pub phi: Option<String>,
    /// What it reported, from its `started` event on, but for φ.
    pub events: Vec<Event>,
}

/// What made a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Of this program.
    pub version: String,
    /// Of Burn.
    pub burn: String,
    /// Processor and system, or the browser.
    pub hardware: String,
}

impl Made {
    /// By this build, on this hardware.
    pub fn here(hardware: String) -> Made {
        Made { version: env!("CARGO_PKG_VERSION").into(), burn: BURN.into(), hardware }
    }

    /// The first line of a run file.
    pub fn event(self) -> Event {
        Event::Made { version: self.version, burn: self.burn, hardware: self.hardware }
    }
}

/// The version of Burn in this build's lock file; a test compares.
const BURN: &str = "0.22.1";

/// Why a run file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunFileError {
    /// A line is no JSON of an event.
    #[error("line {line} of the run file is not an event: {message}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// The run's base is its owner's, and not here: the file itself is whole.
    #[error("{0}")]
    Absent(String),
    /// An event comes before any `started`, or the file has none.
    #[error("the run file has no “started” event")]
    NotStarted,
}

impl RunFile {
    /// The event of a run file that holds φ, the bytes of a safetensors file.
    pub fn phi_event(run: u32, tensors: &[u8]) -> Event {
        Event::Phi { run, tensors: base64(tensors) }
    }

    /// φ as the bytes of a safetensors file, where the file holds it.
    ///
    /// # Errors
    /// A sentence where it is damaged.
    pub fn phi_bytes(&self) -> Option<Result<Vec<u8>, String>> {
        let read = |tensors: &String| from_base64(tensors).map_err(|e| format!("φ in the run file is {e}"));
        self.phi.as_ref().map(read)
    }

    /// Reads the runs of a file: one, or several after each other, each from its `started` event on.
    ///
    /// # Errors
    /// Where a line is no event, or no run has started.
    pub fn read_all(text: &str) -> Result<Vec<RunFile>, RunFileError> {
        let mut runs: Vec<RunFile> = Vec::new();
        let mut times: Vec<Vec<f64>> = Vec::new();
        let mut made = None;
        for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let event: Event = read_json(line).map_err(|message| match absent(line) {
                Some(message) => RunFileError::Absent(message),
                None => RunFileError::Line { line: i + 1, message },
            })?;
            match event {
                Event::Started { ref config, ref device, trainable, total, baselines, .. } => {
                    let (config, device) = (RunConfig::clone(config), device.clone());
                    times.push(Vec::new());
                    runs.push(RunFile {
                        config,
                        device,
                        trainable,
                        total,
                        baselines,
                        losses: Vec::new(),
                        evaluations: Vec::new(),
                        parts: Vec::new(),
                        examples: Vec::new(),
                        finished: None,
                        prediction: None,
                        peak: None,
                        kept: Vec::new(),
                        ms_per_step: 0.0,
                        made: made.clone(),
                        phi: None,
                        events: vec![event],
                    });
                }
                Event::Made { version, burn, hardware } => made = Some(Made { version, burn, hardware }),
                Event::Ready { .. } | Event::Loading { .. } | Event::Warming { .. } => {}
                event => {
                    if let (Event::Step { ms, .. }, Some(times)) = (&event, times.last_mut()) {
                        times.push(*ms);
                    }
                    runs.last_mut().ok_or(RunFileError::NotStarted)?.push(event);
                }
            }
        }
        for (run, times) in runs.iter_mut().zip(&mut times) {
            times.sort_by(f64::total_cmp);
            run.ms_per_step = times.get(times.len() / 2).copied().unwrap_or(0.0);
        }
        if runs.is_empty() { Err(RunFileError::NotStarted) } else { Ok(runs) }
    }

    fn push(&mut self, event: Event) {
        if !matches!(event, Event::Phi { .. }) {
            self.events.push(event.clone());
        }
        match event {
            Event::Step { step, loss, .. } => self.losses.push((step, loss)),
            // It goes on from a step before the last that was heard of: what came after comes again.
            Event::Resumed { step: at, .. } => {
                self.losses.retain(|(step, _)| *step <= at);
                self.evaluations.retain(|(step, ..)| *step <= at);
                self.kept.retain(|(step, _)| *step <= at);
                self.events.retain(|event| event.step().is_none_or(|step| step <= at));
            }
            Event::Evaluated { step, loss, accuracy, n, kept, parts, .. } => {
                self.parts = parts;
                self.evaluations.push((step, loss, accuracy, n));
                self.kept.extend(kept.map(|kept| (step, kept)));
            }
            Event::Examples { items, .. } => self.examples = items,
            Event::Finished { step, loss, accuracy, n, parts, seconds, tokens, ms, peak, .. } => {
                self.parts = parts;
                self.finished = Some((step, loss, accuracy, n, seconds));
                self.peak = peak;
                self.prediction = (tokens > 0.0).then_some((tokens, ms));
            }
            Event::Phi { tensors, .. } => self.phi = Some(tensors),
            _ => {}
        }
    }

    /// Whether its last step is done.
    pub fn is_finished(&self) -> bool {
        self.finished.is_some()
    }
}

/// What is said where a line begins a run on a visitor's base that is not here.
fn absent(line: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(line).ok()?;
    let base = event["config"]["base"].as_str().filter(|_| event["event"] == "started")?;
    (base.starts_with(OwnBase::PREFIX) && Base::named(base).is_none()).then(|| Base::absent(base))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn a_run_on_a_base_that_is_not_here_is_no_broken_file() {
        let line = |base: &str| {
            format!(r#"{{"event":"started","run":1,"config":{{"base":"{base}","task":"own","method":"lora"}}}}"#)
        };
        for base in ["own-mine-fedcba9876543210", "own-mine-fedcba98"] {
            let error = RunFile::read_all(&line(base)).unwrap_err();
            assert_eq!(error, RunFileError::Absent(Base::absent(base)));
            assert!(!error.to_string().contains("not an event"), "{error}");
        }
        assert!(matches!(RunFile::read_all(&line("rules")), Err(RunFileError::Line { line: 1, .. })));
    }

    #[test]
    fn the_version_of_burn_is_the_locked_one() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
        assert!(lock.contains(&format!("name = \"burn\"\nversion = \"{BURN}\"")), "{BURN}");
    }
}
