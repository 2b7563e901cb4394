//! φ kept as a file, and taken from files.

use crate::config::RunConfig;
use crate::interchange::RunFile;
use crate::protocol::Command;
use crate::protocol::Event;
use crate::task::user_data::{Dropped, read};
use crate::ui::state::{Effect, File, NoticeTone, Phase, Run, State, Trainer};

/// The largest file that is opened: φ of full fine-tuning on the largest base, in base64, many times over.
const MAX_BYTES: usize = 256 << 20;

impl State {
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
                self.say(NoticeTone::Info, text, None);
                vec![File::new("model.safetensors", weights)]
            }
            _ => return Vec::new(),
        };
        vec![Effect::Download(files)]
    }

    /// Opens a run file, the two files of a PEFT adapter, a checkpoint, or data.
    /// Nothing is taken in by halves.
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
            return self.look_at_data(file.clone());
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

    /// Bytes of all φ on this page for the present base, and of as many copies of θ.
    /// `None` for fewer than two.
    pub fn bytes_of_tasks(&self) -> Option<(usize, u64, u64)> {
        let ended = |r: &&Run| r.config.base == self.config.base && r.phase == Phase::Finished && r.config.trains();
        let runs: Vec<&Run> = self.runs.iter().filter(ended).collect();
        let stored = |config: &RunConfig| {
            let shape = config.shape();
            config.methods().map(|m| m.method().stored(&shape)).sum::<u64>()
        };
        let phi = runs.iter().map(|r| 4 * stored(&r.config)).sum();
        let theta = 4 * self.config.shape().model.parameters() * runs.len() as u64;
        (runs.len() > 1).then_some((runs.len(), phi, theta))
    }
}

/// Files that only a checkpoint has.
const CHECKPOINT: [&str; 5] =
    ["config.json", "model.safetensors", "tokenizer.json", "pytorch_model.bin", "model.safetensors.index.json"];

/// Whether a file holds a run's events. Its first line tells: an event, or what begins like one and is no
/// table. A table may have a column “event”, too.
fn is_run(file: &File) -> bool {
    let head = &file.bytes[..file.bytes.len().min(1 << 20)];
    let first = head.split(|b| *b == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let has = |key: &[u8]| first.windows(key.len()).any(|part| part == key);
    // A run of data or a base that is not here, or of another version, cannot be read as an event.
    let begins_run = || has(br#""event":"started""#) && has(br#""config":{"#);
    let is_table = || match read(&file.name, &file.bytes) {
        Ok(Dropped::Table(table)) => table.columns.len() > 1,
        _ => false,
    };
    first.trim_ascii_start().starts_with(b"{\"event\"")
        && (serde_json::from_slice::<Event>(first).is_ok() || begins_run() || !is_table())
}

/// `rules-swap-ends.rotate-left-lora`
fn file_name(config: &RunConfig) -> String {
    let methods: Vec<&str> = config.methods().map(|m| m.info().name).collect();
    let rule = config.task.pairs().into_iter().find(|(key, _)| *key == "rule").map(|(_, rule)| format!("-{rule}"));
    format!("{}{}-{}-seed-{}", config.base.id, rule.unwrap_or_default(), methods.join("+"), config.seed)
}
