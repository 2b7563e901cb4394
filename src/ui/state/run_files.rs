//! The φ that one looks at: swapped live, dialled, kept as a file, and taken from files.

use super::run::{Phase, Run};
use super::{Effect, State, Trainer, WorkerPhase};
use crate::config::RunConfig;
use crate::interchange::RunFile;
use crate::protocol::Command;
use crate::protocol::{Event, Prediction};
use std::rc::Rc;

/// A file by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub name: String,
    /// Empty where the file is only [`at`](Self::at) an address.
    pub bytes: Rc<Vec<u8>>,
    pub at: Option<At>,
}

/// Where a file can be read from: weights are not held twice.
#[derive(Clone, Debug, PartialEq)]
pub struct At {
    pub address: String,
    pub size: usize,
    /// The folder it was chosen with; empty for a file by itself.
    pub folder: String,
}

impl File {
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> File {
        File { name: name.into(), bytes: Rc::new(bytes), at: None }
    }

    pub fn size(&self) -> usize {
        self.at.as_ref().map_or(self.bytes.len(), |at| at.size)
    }

    pub fn folder(&self) -> Option<&str> {
        self.at.as_ref().map(|at| at.folder.as_str()).filter(|folder| !folder.is_empty())
    }
}

/// The largest file that is opened: φ of full fine-tuning on the largest base, in base64, many times over.
const MAX_BYTES: usize = 256 << 20;

/// λ of θ ⊕ λφ for one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dial {
    run: u32,
    lambda: Option<f64>,
    waiting: bool,
    /// (λ, accuracy) wherever it has been, in the order of λ.
    pub points: Vec<(f64, f64)>,
    /// What was measured last: λ, loss, accuracy, n.
    pub measured: Option<(f64, f64, f64, usize)>,
    items: Rc<Vec<Prediction>>,
}

impl Dial {
    pub fn lambda(&self) -> f64 {
        self.lambda.unwrap_or(1.0)
    }
}

impl State {
    /// The live run whose φ answers: the one that was chosen, else the latest on the present base and task.
    pub fn chosen_run(&self) -> Option<&Run> {
        let fits = |r: &&Run| {
            r.config.base == self.config.base && r.config.task.same_questions(&self.config.task) && !self.is_aside(r)
        };
        let chosen = self.looked_at.and_then(|id| self.runs.iter().find(|r| r.id == id).filter(fits));
        chosen.or_else(|| self.runs.iter().rev().find(fits))
    }

    /// The chosen run where it is no longer training and the trainer holds its φ.
    pub fn kept_run(&self) -> Option<(&Run, Trainer)> {
        let run = self.chosen_run()?;
        let ended = matches!(run.phase, Phase::Finished | Phase::Stopped | Phase::Paused);
        Some((run, run.trainer?)).filter(|_| ended && !run.recorded)
    }

    /// Answers at λ, where the dial of the chosen run has been turned.
    pub fn dialled_examples(&self) -> Option<Rc<Vec<Prediction>>> {
        let run = self.chosen_run()?;
        let turned = self.dial.run == run.id && self.dial.measured.is_some_and(|(lambda, ..)| lambda != 1.0);
        turned.then(|| self.dial.items.clone())
    }

    /// The dial, where it is the chosen run's.
    pub fn dial_of(&self, run: &Run) -> Dial {
        if self.dial.run == run.id { self.dial.clone() } else { Dial::default() }
    }

    pub(super) fn remove(&mut self, id: u32) -> Vec<Effect> {
        let Some(run) = self.runs.iter().find(|r| r.id == id && !r.phase.is_active()) else { return Vec::new() };
        let trainer = run.trainer;
        self.runs.retain(|r| r.id != id);
        trainer.map(|trainer| Effect::Send(trainer, Command::Forget { run: id })).into_iter().collect()
    }

    pub(super) fn look_at(&mut self, id: u32) -> Vec<Effect> {
        self.looked_at = Some(id);
        self.own.answer = None;
        match self.chosen_run().and_then(|r| r.trainer) {
            Some(trainer) => self.ask_again(trainer),
            None => Vec::new(),
        }
    }

    /// Forgets the choice: what begins now is what one looks at.
    pub(super) fn look_at_latest(&mut self) {
        self.looked_at = None;
        self.dial = Dial::default();
    }

    pub(super) fn set_dial(&mut self, lambda: f64) -> Vec<Effect> {
        let Some((run, trainer)) = self.kept_run() else { return Vec::new() };
        let id = run.id;
        if self.dial.run != id {
            // Both ends are known: the base before training, and the run at its end.
            let accuracies = run.accuracy.points();
            let ends = accuracies.first().zip(accuracies.last()).filter(|(first, last)| first.0 == 0.0 && last.0 > 0.0);
            let points = ends.map_or_else(Vec::new, |(first, last)| vec![(0.0, first.1), (1.0, last.1)]);
            self.dial = Dial { run: id, points, ..Dial::default() };
        }
        self.dial.lambda = Some(lambda.clamp(0.0, 1.5));
        if std::mem::replace(&mut self.dial.waiting, true) {
            // The answer under way comes first; what the dial shows by then is asked after it.
            return Vec::new();
        }
        vec![Effect::Send(trainer, Command::Dial { run: id, lambda: self.dial.lambda() })]
    }

    /// Takes in what was measured at a λ, and asks on where the dial has moved since.
    pub(super) fn dialled(&mut self, trainer: Trainer, event: Event) -> Vec<Effect> {
        let Event::Dialled { run, lambda, loss, accuracy, n, items } = event else { return Vec::new() };
        if run != self.dial.run {
            return Vec::new();
        }
        self.dial.waiting = false;
        self.dial.measured = Some((lambda, f64::from(loss), accuracy, n));
        self.dial.items = Rc::new(items);
        self.dial.points.retain(|(at, _)| *at != lambda);
        self.dial.points.push((lambda, accuracy));
        self.dial.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        match self.dial.lambda() == lambda {
            true => Vec::new(),
            false => {
                self.set_dial(self.dial.lambda()).into_iter().filter(|_| self.worker(trainer).is_ready()).collect()
            }
        }
    }

    /// A question about a run failed: the dial may ask again.
    pub(super) fn dial_failed(&mut self, run: u32) {
        if run == self.dial.run {
            self.dial.waiting = false;
        }
    }

    pub(super) fn save_run(&mut self) -> Vec<Effect> {
        self.ask_of_kept(|run| Command::Save { run })
    }

    pub(super) fn export_adapter(&mut self) -> Vec<Effect> {
        self.ask_of_kept(|run| Command::Export { run })
    }

    pub(super) fn merge_phi(&mut self) -> Vec<Effect> {
        self.ask_of_kept(|run| Command::Merge { run })
    }

    fn ask_of_kept(&self, command: impl Fn(u32) -> Command) -> Vec<Effect> {
        let kept = self.kept_run();
        kept.map(|(run, trainer)| Effect::Send(trainer, command(run.id))).into_iter().collect()
    }

    /// What the trainer wrote, given to the visitor.
    pub(super) fn kept(&mut self, event: Event) -> Vec<Effect> {
        let Some(run) = event.run().and_then(|id| self.runs.iter().find(|r| r.id == id)) else { return Vec::new() };
        let name = file_name(&run.config);
        let files = match event {
            Event::RunFile { run, mut text, tensors } => {
                // φ's line is text only in the file: on the way it is bytes.
                if let Ok(line) = serde_json::to_string(&RunFile::phi_event(run, &tensors)) {
                    text = text + &line + "\n";
                }
                vec![File::new(format!("{name}.jsonl"), text.into_bytes())]
            }
            Event::Adapter { config, weights, .. } => vec![
                File::new("adapter_config.json", config.into_bytes()),
                File::new("adapter_model.safetensors", weights),
            ],
            Event::Merged { difference, weights, .. } => {
                let label = run.label();
                let text = format!(
                    "{label} is folded into θ: one network of the base's size, without a further operation. On the held-out examples no logit differs by more than {difference:.0e}. It goes with the base's config.json and tokenizer.json."
                );
                self.say(super::NoticeTone::Info, text, None);
                vec![File::new("model.safetensors", weights)]
            }
            _ => return Vec::new(),
        };
        vec![Effect::Download(files)]
    }

    /// Opens a run file, the two files of a PEFT adapter, a checkpoint, or data; nothing is taken in by halves.
    pub(super) fn open_files(&mut self, files: Vec<File>) -> Vec<Effect> {
        if files.iter().any(|f| CHECKPOINT.contains(&f.name.as_str()) || f.folder().is_some()) {
            self.look_at_base(&files);
            return Vec::new();
        }
        if let [file] = files.as_slice()
            && !file.name.ends_with(".safetensors")
            && !file.name.ends_with("config.json")
            && !is_run(file)
        {
            self.look_at_data(file.clone());
            return Vec::new();
        }
        if let Some(large) = files.iter().find(|f| f.size() > MAX_BYTES) {
            self.fault(format!("{} is larger than {} MB: no φ of these bases is.", large.name, MAX_BYTES >> 20), None);
            return Vec::new();
        }
        let ends = |end: &str| files.iter().find(|f| f.name.ends_with(end));
        if let (Some(config), Some(weights)) = (ends("config.json"), ends(".safetensors")) {
            let text = String::from_utf8_lossy(&config.bytes).into_owned();
            return self.open_adapter(text, weights.bytes.to_vec());
        }
        match files.as_slice() {
            [] => Vec::new(),
            [file] if !file.name.ends_with(".safetensors") && !file.name.ends_with("config.json") => {
                self.open_run(file)
            }
            _ => {
                let text = "Choose one run file, one file of data, the two files of an adapter (adapter_config.json and adapter_model.safetensors) or the three of a checkpoint together.";
                self.fault(text.into(), None);
                Vec::new()
            }
        }
    }

    fn open_run(&mut self, file: &File) -> Vec<Effect> {
        let text = String::from_utf8_lossy(&file.bytes);
        let opened = match RunFile::read_all(&text) {
            Ok(mut runs) => runs.pop(),
            Err(e) => {
                self.fault(format!("{} cannot be opened: {e}.", file.name), None);
                return Vec::new();
            }
        };
        let Some(opened) = opened else { return Vec::new() };
        if self.lacks_own_data(&opened.config) {
            let text = format!(
                "{} is a run on data of its own (“{}”), which is not on this page: bring that first.",
                file.name,
                opened.config.task.title()
            );
            self.fault(text, None);
            return Vec::new();
        }
        let (config, phi) = (opened.config.clone(), opened.phi_bytes());
        let id = self.next_id_of(Run { recorded: false, phase: Phase::Finished, ..Run::recorded(opened) });
        let mut effects = self.adopt(config.clone());
        let phi = match phi.transpose() {
            Ok(phi) => phi,
            Err(e) => {
                // Without φ the curve is still there to see.
                self.fault(e, None);
                None
            }
        };
        if let (Some(tensors), true) = (phi, self.worker(Trainer::Cpu).is_ready()) {
            if let Some(run) = self.runs.last_mut() {
                run.trainer = Some(Trainer::Cpu);
            }
            // What it reported goes along, so that it can be saved again.
            let reported = |line: &str| {
                let event = serde_json::from_str(line).ok()?;
                (!matches!(event, Event::Made { .. } | Event::Phi { .. })).then_some(event)
            };
            let events = text.lines().filter_map(reported).collect();
            effects.push(Effect::Send(Trainer::Cpu, Command::Restore { run: id, config, events, tensors }));
        }
        effects
    }

    fn open_adapter(&mut self, adapter_config: String, weights: Vec<u8>) -> Vec<Effect> {
        if !self.worker(Trainer::Cpu).is_ready() {
            self.fault("The trainer is not ready yet: open the files again in a moment.".into(), None);
            return Vec::new();
        }
        let config = self.config.clone();
        let mut run = Run::new(0, config.clone());
        run.trainer = Some(Trainer::Cpu);
        run.imported = true;
        let id = self.next_id_of(run);
        vec![Effect::Send(Trainer::Cpu, Command::Import { run: id, config, adapter_config, weights })]
    }

    /// Puts a run on the page under the next number.
    fn next_id_of(&mut self, run: Run) -> u32 {
        let id = self.next_run;
        self.next_run += 1;
        self.look_at_latest();
        self.runs.push(Run { id, ..run });
        id
    }

    /// Bytes of all φ on this page for the present base, and of as many copies of θ; `None` for fewer than two.
    pub fn bytes_of_tasks(&self) -> Option<(usize, usize, usize)> {
        let ended = |r: &&Run| r.config.base == self.config.base && r.phase == Phase::Finished && r.config.trains();
        let runs: Vec<&Run> = self.runs.iter().filter(ended).collect();
        let stored = |config: &RunConfig| {
            let shape = config.shape();
            config.methods().map(|m| m.method().stored(&shape)).sum::<usize>()
        };
        let phi = runs.iter().map(|r| 4 * stored(&r.config)).sum();
        let theta = 4 * self.config.shape().model.parameters() * runs.len();
        (runs.len() > 1).then_some((runs.len(), phi, theta))
    }
}

/// Files that only a checkpoint has.
const CHECKPOINT: [&str; 5] =
    ["config.json", "model.safetensors", "tokenizer.json", "pytorch_model.bin", "model.safetensors.index.json"];

/// Whether a file holds a run's events, by its first line.
fn is_run(file: &File) -> bool {
    let head = &file.bytes[..file.bytes.len().min(1 << 20)];
    let first = head.split(|b| *b == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    first.trim_ascii_start().starts_with(b"{\"event\"")
}

impl WorkerPhase {
    pub fn is_ready(&self) -> bool {
        matches!(self, WorkerPhase::Ready { .. })
    }
}

/// `rules-swap-ends.rotate-left-lora`
fn file_name(config: &RunConfig) -> String {
    let methods: Vec<&str> = config.methods().map(|m| m.info().name).collect();
    let rule = config.task.pairs().into_iter().find(|(key, _)| *key == "rule").map(|(_, rule)| format!("-{rule}"));
    format!("{}{}-{}-seed-{}", config.base.id, rule.unwrap_or_default(), methods.join("+"), config.seed)
}
