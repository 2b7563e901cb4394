//! What a run reports. The same JSON goes to the page, to standard output of the command line, and into run
//! files.

use super::bytes::Bytes;
use super::scores::{KeptScore, PartScore, Prediction, SpreadKind};
use super::writing::{Ended, NextToken, Voice};
use crate::base::{FailureReason, measured};
use crate::config::RunConfig;
use crate::task::Baselines;
use serde::{Deserialize, Serialize};

/// One report of a run. `run` tells runs of one page apart; it is the number that the `start` command gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The trainer is there and says what it trains on (`cpu`, `webgpu`).
    Ready {
        /// What is trained on: `cpu`, `webgpu`.
        device: String,
    },
    /// What made a run: the first line of a run file.
    Made {
        /// Of this program.
        version: String,
        /// Of Burn.
        burn: String,
        /// Processor and system, or the browser.
        hardware: String,
    },
    /// A trained φ: the last line of a run file.
    Phi {
        /// The run's number.
        run: u32,
        /// A safetensors file in base64.
        tensors: String,
    },
    /// A run as a file: its configuration, curves, versions and hardware, a JSON object on each line. φ's
    /// line is made where the file is written.
    RunFile {
        /// The run's number.
        run: u32,
        /// Lines of JSON.
        text: String,
        /// φ as a safetensors file; beside the JSON.
        #[serde(skip)]
        tensors: Vec<u8>,
    },
    /// A run as it stands, for whoever keeps it: what [`RunFile`](Event::RunFile) has. Where steps are left, `tensors`
    /// also holds what training needs to go on.
    Snapshot {
        /// The run's number.
        run: u32,
        /// Steps done.
        step: usize,
        /// Lines of JSON.
        text: String,
        /// φ as a safetensors file; beside the JSON.
        #[serde(skip)]
        tensors: Vec<u8>,
    },
    /// θ with φ folded in: `config.json` is the base's own.
    Merged {
        /// The run's number.
        run: u32,
        /// The largest difference of a logit between the folded network and θ with φ beside it, over held-out
        /// examples.
        #[serde(deserialize_with = "measured")]
        difference: f32,
        /// `model.safetensors`; beside the JSON.
        #[serde(skip)]
        weights: Vec<u8>,
    },
    /// A trained φ as Hugging Face PEFT writes it.
    Adapter {
        /// The run's number.
        run: u32,
        /// The text of `adapter_config.json`.
        config: String,
        /// `adapter_model.safetensors`; beside the JSON.
        #[serde(skip)]
        weights: Vec<u8>,
    },
    /// Loss, accuracy and answers at θ ⊕ λφ.
    Dialled {
        /// The run's number.
        run: u32,
        /// λ, 0 to 1.5.
        lambda: f64,
        /// Mean cross-entropy over the predicted tokens of held-out examples, nats.
        #[serde(deserialize_with = "measured")]
        loss: f32,
        /// Share of examples with every token right.
        accuracy: f64,
        /// Examples scored; of a text, tokens.
        n: usize,
        /// Answers on held-out examples.
        items: Vec<Prediction>,
    },
    /// What in-context learning scores after another prompt.
    Spread {
        /// The run's number.
        run: u32,
        /// What was changed.
        kind: SpreadKind,
        /// The prompt's difference, in words.
        what: String,
        /// Among the labels; `None` where the prompt does not fit into the context.
        accuracy: Option<f64>,
        /// Where the likeliest of all tokens counts, not of the labels alone; measured for some kinds.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        free: Option<f64>,
        /// Examples scored; of a text, tokens.
        n: usize,
        /// Prompts scored, of how many.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// Something is being fetched or compiled before the first step; `done` of `of` bytes where they are
    /// known. As many as `of` say that it is there.
    Loading {
        /// The run's number.
        run: u32,
        /// What it is, in words.
        what: String,
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        of: u64,
    },
    /// A GPU's programs for the next run are being compiled, while nothing trains: `done` of `of` parts.
    Warming {
        /// So far.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// A visitor's checkpoint is being read for its digest; `done` of `of` bytes.
    Identifying {
        /// Of the command.
        number: u32,
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        of: u64,
    },
    /// Answer to `probe`: how fast this machine is.
    Probed {
        /// Operations a second on one worker, forward and backward.
        rate: f64,
        /// Workers that would share a step.
        workers: usize,
    },
    /// Answer to `identify`.
    Identified {
        /// Of the command.
        number: u32,
        /// The digest of all bytes.
        digest: String,
    },
    /// A checkpoint could not be read for its digest.
    Unidentified {
        /// Of the command.
        number: u32,
        /// A sentence.
        message: String,
    },
    /// φ is made, and the run begins.
    Started {
        /// The run's number.
        run: u32,
        /// What is trained.
        config: Box<RunConfig>,
        /// What is trained on: `cpu`, `webgpu`.
        device: String,
        /// Elements of φ.
        trainable: u64,
        /// Elements of θ and of what φ adds to it.
        total: u64,
        /// Steps to train.
        steps: usize,
        /// What scores without a network.
        baselines: Baselines,
    },
    /// Comes for each step whose loss was read back: every one on the CPU and after a single Step.
    Step {
        /// The run's number.
        run: u32,
        /// Steps done, from 1.
        step: usize,
        /// Mean cross-entropy over the predicted tokens, nats.
        #[serde(deserialize_with = "measured")]
        loss: f32,
        /// The step's rate.
        lr: f64,
        /// Milliseconds per step, averaged over the steps since the last report.
        ms: f64,
        /// Tokens the network read in this step, virtual ones included.
        tokens: usize,
        /// L2 norm of φ's gradient before clipping.
        #[serde(deserialize_with = "measured")]
        grad_norm: f32,
        /// Workers that shared the step.
        #[serde(default = "alone", skip_serializing_if = "is_alone")]
        workers: usize,
    },
    /// Held-out loss and accuracy at a step; step 0 is before training.
    Evaluated {
        /// The run's number.
        run: u32,
        /// Steps done.
        step: usize,
        /// Mean cross-entropy over the predicted tokens of held-out examples, nats.
        #[serde(deserialize_with = "measured")]
        loss: f32,
        /// Share of examples with every token right.
        accuracy: f64,
        /// Examples scored; of a text, tokens.
        n: usize,
        /// What the base could do before, with φ; where the run measures it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        kept: Option<KeptScore>,
        /// What of answers that are written freely is right.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        parts: Vec<PartScore>,
    },
    /// Answers on held-out examples at a step.
    Examples {
        /// The run's number.
        run: u32,
        /// Steps done.
        step: usize,
        /// Answers on held-out examples.
        items: Vec<Prediction>,
    },
    /// It waits for `resume` or `step`.
    Paused {
        /// The run's number.
        run: u32,
        /// Steps done.
        step: usize,
    },
    /// It steps on.
    Resumed {
        /// The run's number.
        run: u32,
        /// Steps done.
        step: usize,
    },
    /// Ended by the visitor before its last step; what was measured stays.
    Stopped {
        /// The run's number.
        run: u32,
        /// Steps done.
        step: usize,
    },
    /// The last step is done and every held-out example evaluated.
    Finished {
        /// The run's number.
        run: u32,
        /// Steps done.
        step: usize,
        /// Mean cross-entropy over the predicted tokens of held-out examples, nats.
        #[serde(deserialize_with = "measured")]
        loss: f32,
        /// Share of examples with every token right.
        accuracy: f64,
        /// Examples scored; of a text, tokens.
        n: usize,
        /// What of answers that are written freely is right.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        parts: Vec<PartScore>,
        /// Spent training and evaluating.
        seconds: f64,
        /// Tokens that a prediction reads on average, what φ or a prompt puts in front included.
        #[serde(default)]
        tokens: f64,
        /// Milliseconds of one in this last evaluation, on one worker.
        #[serde(default)]
        ms: f64,
        /// The most bytes that were in use at a moment of a training step, θ included; where they are
        /// counted.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        peak: Option<u64>,
    },
    /// The answer to a `predict` command: on what the visitor typed.
    Predicted {
        /// The run's number.
        run: u32,
        /// The text and its answers.
        item: Prediction,
    },
    /// A text was read, or gone on with by a token; or it has ended.
    Wrote {
        /// The run's number.
        run: u32,
        /// Who wrote.
        which: Voice,
        /// What is new: whole characters.
        text: String,
        /// Tokens written so far.
        tokens: usize,
        /// What may come next, the likeliest first; empty at the end.
        next: Vec<NextToken>,
        /// Milliseconds that this one has taken so far.
        ms: f64,
        /// Why it has ended, at its end.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        ended: Option<Ended>,
    },
    /// A text cannot be gone on with.
    Unwritten {
        /// The run's number.
        run: u32,
        /// A sentence.
        message: String,
    },
    /// A run, or the trainer, cannot go on. `message` is a sentence for the visitor that says the way on.
    Failed {
        /// The run's number.
        run: u32,
        /// For scripts.
        reason: FailureReason,
        /// For the visitor.
        message: String,
    },
}

impl Event {
    /// The run it belongs to; `None` where it is about the trainer.
    pub fn run(&self) -> Option<u32> {
        match self {
            Event::Ready { .. }
            | Event::Made { .. }
            | Event::Warming { .. }
            | Event::Identifying { .. }
            | Event::Identified { .. }
            | Event::Unidentified { .. }
            | Event::Probed { .. } => None,
            Event::Loading { run, .. }
            | Event::Started { run, .. }
            | Event::Step { run, .. }
            | Event::Evaluated { run, .. }
            | Event::Examples { run, .. }
            | Event::Paused { run, .. }
            | Event::Resumed { run, .. }
            | Event::Stopped { run, .. }
            | Event::Finished { run, .. }
            | Event::Predicted { run, .. }
            | Event::Wrote { run, .. }
            | Event::Unwritten { run, .. }
            | Event::Phi { run, .. }
            | Event::RunFile { run, .. }
            | Event::Snapshot { run, .. }
            | Event::Merged { run, .. }
            | Event::Adapter { run, .. }
            | Event::Dialled { run, .. }
            | Event::Spread { run, .. }
            | Event::Failed { run, .. } => Some(*run),
        }
    }
}

impl Event {
    /// The step of what was measured there; `None` for what is no measurement.
    pub fn step(&self) -> Option<usize> {
        match self {
            Event::Step { step, .. } | Event::Evaluated { step, .. } | Event::Examples { step, .. } => Some(*step),
            _ => None,
        }
    }
}

impl Bytes for Event {
    fn bytes(&self) -> Option<(&'static str, &Vec<u8>)> {
        match self {
            Event::RunFile { tensors, .. } | Event::Snapshot { tensors, .. } => Some(("tensors", tensors)),
            Event::Merged { weights, .. } | Event::Adapter { weights, .. } => Some(("weights", weights)),
            _ => None,
        }
    }

    fn bytes_mut(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Event::RunFile { tensors, .. } | Event::Snapshot { tensors, .. } => Some(tensors),
            Event::Merged { weights, .. } | Event::Adapter { weights, .. } => Some(weights),
            _ => None,
        }
    }
}

fn alone() -> usize {
    1
}

fn is_alone(workers: &usize) -> bool {
    *workers <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_the_contract_s_json() {
        let event =
            Event::Evaluated { run: 1, step: 10, loss: 0.5, accuracy: 0.25, n: 140, kept: None, parts: Vec::new() };
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(json, r#"{"event":"evaluated","run":1,"step":10,"loss":0.5,"accuracy":0.25,"n":140}"#);
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
        let failed = Event::Failed { run: 0, reason: FailureReason::Diverged, message: "m".into() };
        assert!(serde_json::to_string(&failed).unwrap().contains(r#""reason":"diverged""#));
    }

    #[test]
    fn bytes_of_files_stay_out_of_the_json() {
        let mut event = Event::Merged { run: 2, difference: 0.5, weights: vec![1, 2] };
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(json, r#"{"event":"merged","run":2,"difference":0.5}"#);
        let mut heard: Event = serde_json::from_str(&json).unwrap();
        let (name, bytes) = event.bytes().unwrap();
        assert_eq!((name, bytes.as_slice()), ("weights", [1, 2].as_slice()));
        *heard.bytes_mut().unwrap() = std::mem::take(event.bytes_mut().unwrap());
        assert_eq!(heard, Event::Merged { run: 2, difference: 0.5, weights: vec![1, 2] });
    }
}
