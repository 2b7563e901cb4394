//! φ kept as a file, and taken from files.

use super::unfinished::with_phi;
use crate::config::{Key, RunConfig};
use crate::interchange::brought::{Brought, brought};
use crate::interchange::{RunFile, adapter_base};
use crate::peft::adapter_names::{CONFIG_FILE, MODEL_FILE};
use crate::peft::{MethodConfig, Range};
use crate::protocol::Command;
use crate::protocol::Event;
use crate::task::user_data::{Dropped, read};
use crate::ui::state::{Bringing, Effect, File, NoticeTone, Phase, Run, State, Trainer};

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
                text = with_phi(&text, run, &tensors);
                vec![File::new(format!("{name}.jsonl"), text.into_bytes())]
            }
            Event::Adapter { config, weights, .. } => {
                vec![File::new(CONFIG_FILE, config.into_bytes()), File::new(MODEL_FILE, weights)]
            }
            Event::Merged { difference, weights, .. } => {
                let label = run.label();
                let text = format!(
                    "{label} is folded into θ: one network of the base's size, without a further operation. On the held-out examples no logit differs by more than {difference:.0e}. It goes with the base's config.json and tokenizer."
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
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        match brought(&names) {
            Err(message) => {
                self.refuse(message);
                return Vec::new();
            }
            Ok(Brought::Adapter { config, weights }) => {
                let (config, weights) = (&files[config], &files[weights]);
                if weights.size() > MAX_BYTES {
                    self.fault(too_large(weights), None);
                    return Vec::new();
                }
                let text = String::from_utf8_lossy(&config.bytes).into_owned();
                return self.open_adapter(text, weights.bytes.to_vec());
            }
            Ok(Brought::Other) if files.iter().all(|file| file.folder().is_none()) => {}
            // Who chooses a folder without an adapter means a checkpoint.
            Ok(Brought::Checkpoint | Brought::Other) => return self.look_at_base(&files),
        }
        if !files.is_empty() && files.iter().all(is_run) {
            return files.iter().flat_map(|file| self.open_runs(file)).collect();
        }
        if let [file] = files.as_slice()
            && !file.name.ends_with(".safetensors")
            && !is_run(file)
        {
            return self.look_at_data(file.clone());
        }
        if let Some(large) = files.iter().find(|f| f.size() > MAX_BYTES) {
            self.fault(too_large(large), None);
            return Vec::new();
        }
        match files.as_slice() {
            [] => {
                self.refuse("Nothing could be read: choose or drop files, or a folder that has files in it.".into());
                Vec::new()
            }
            [file] if !file.name.ends_with(".safetensors") => self.open_runs(file),
            _ => {
                let text = "Choose one run file, one file of data, the two files of an adapter (adapter_config.json and adapter_model.safetensors) or all of a checkpoint together.";
                self.fault(text.into(), None);
                Vec::new()
            }
        }
    }

    /// Says why files cannot be taken. A dialog that is open would hide a notice.
    pub(super) fn refuse(&mut self, why: String) {
        match self.bring.open {
            true => self.bring.fault = Some(why),
            false => self.fault(why, None),
        }
    }

    /// Opens all runs of a file, in their order; the page turns to the last.
    fn open_runs(&mut self, file: &File) -> Vec<Effect> {
        if file.size() > MAX_BYTES {
            self.fault(format!("{} is larger than {} MB: no φ of these bases is.", file.name, MAX_BYTES >> 20), None);
            return Vec::new();
        }
        let runs = match RunFile::read_all(&String::from_utf8_lossy(&file.bytes)) {
            Ok(runs) => runs,
            Err(e) => {
                self.fault(format!("{} cannot be opened: {e}.", file.name), None);
                return Vec::new();
            }
        };
        let lacks = runs.iter().find(|run| self.lacks_own_data(&run.config));
        if let Some(lacks) = lacks {
            let text = format!(
                "{} is a run on data of its own (“{}”), which is not on this page: bring that first.",
                file.name,
                lacks.config.task.title()
            );
            self.fault(text, None);
            return Vec::new();
        }
        runs.into_iter().flat_map(|run| self.open_run(run)).collect()
    }

    fn open_run(&mut self, opened: RunFile) -> Vec<Effect> {
        let config = opened.config.clone();
        let phi = match opened.phi_bytes().transpose() {
            Ok(phi) => phi,
            Err(e) => {
                // Without φ the curve is still there to see.
                self.fault(e, None);
                None
            }
        };
        let id = self.next_id_of(Run::from_file(0, &opened));
        let mut effects = self.adopt(config.clone());
        let mut text = String::new();
        for line in opened.events.iter().filter_map(|event| serde_json::to_string(event).ok()) {
            text += &line;
            text.push('\n');
        }
        effects.extend(self.keep_opened(id, text, phi.clone()));
        // From the store φ comes when somebody looks at it. Where nothing is kept, the trainer holds it.
        let kept = self.keeping.open && self.keeps();
        if self.waits_for_base(config.base) && !kept {
            // The trainer takes it in once its base is here.
            self.keeping.recalled = phi.map(|tensors| (id, opened.events, tensors));
            return effects;
        }
        if let (Some(tensors), true, false) = (phi, self.worker(Trainer::Cpu).is_ready(), kept) {
            if let Some(run) = self.runs.last_mut() {
                run.trainer = Some(Trainer::Cpu);
            }
            // What it reported goes along, so that it can be saved again.
            let events = opened.events;
            effects.push(Effect::Send(Trainer::Cpu, Command::Restore { run: id, config, events, tensors }));
        }
        effects
    }

    fn open_adapter(&mut self, adapter_config: String, weights: Vec<u8>) -> Vec<Effect> {
        if !self.worker(Trainer::Cpu).is_ready() {
            self.fault("The trainer is not ready yet: open the files again in a moment.".into(), None);
            return Vec::new();
        }
        let mut effects = self.bringing(Bringing::Close);
        let config = self.config.clone();
        if let Some(told) = adapter_base::told(&adapter_config, config.base) {
            self.say(NoticeTone::Info, told, None);
        }
        let mut run = Run::new(0, config.clone());
        run.trainer = Some(Trainer::Cpu);
        run.imported = true;
        let id = self.next_id_of(run);
        effects.push(Effect::Send(Trainer::Cpu, Command::Import { run: id, config, adapter_config, weights }));
        effects
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

fn too_large(file: &File) -> String {
    format!("{} is larger than {} MB: no φ of these bases is.", file.name, MAX_BYTES >> 20)
}

/// Whether a file holds a run's events. Its first line tells: an event, or what begins like one and is no
/// table. A table may have a column “event”, too.
fn is_run(file: &File) -> bool {
    let head = &file.bytes[..file.bytes.len().min(1 << 20)];
    let first = head.split(|b| *b == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let has = |key: &[u8]| first.windows(key.len()).any(|part| part == key);
    // A run of data or a base that is not here, or of another version, cannot be read as an event.
    // From a string, as everywhere: a reader of bytes would be a second copy of all that reads an event.
    let is_event = || std::str::from_utf8(first).is_ok_and(|line| serde_json::from_str::<Event>(line).is_ok());
    let begins_run = || has(br#""event":"started""#) && has(br#""config":{"#);
    let is_table = || match read(&file.name, &file.bytes) {
        Ok(Dropped::Table(table)) => table.columns.len() > 1,
        _ => false,
    };
    first.trim_ascii_start().starts_with(b"{\"event\"") && (is_event() || begins_run() || !is_table())
}

/// `rules-swap-ends.rotate-left-lora-r-4-seed-0`: two runs of different settings have different names.
fn file_name(config: &RunConfig) -> String {
    const LONGEST: usize = 100;
    let mut parts = vec![config.base.id.to_string()];
    let pairs = config.pairs();
    let of_task = |key: &str| key != "task" && Key::named(key).is_some_and(Key::is_of_task);
    parts.extend(pairs.iter().filter(|(key, _)| of_task(key)).map(|(_, value)| value.clone()));
    let methods: Vec<String> = config.methods().map(named_in_file).collect();
    parts.push(methods.join("+"));
    for (key, value) in &pairs {
        let elsewhere = ["base", "task", "method", "seed", "device", "workers"].contains(&key.as_str());
        let usual = key == "steps" && config.steps == RunConfig::default().steps;
        if !elsewhere && !usual && !of_task(key) && !is_in_label(config, key) {
            parts.push(format!("{key}-{value}"));
        }
    }
    parts.push(format!("seed-{}", config.seed));
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._+-".contains(c) { c } else { '-' };
    let name: String = parts.join("-").chars().map(plain).collect();
    if name.len() <= LONGEST {
        return name;
    }
    // FNV-1a of the address tells long names apart.
    let address = config.to_hash();
    let hash = address.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    format!("{}-{hash:08x}-seed-{}", &name[..LONGEST], config.seed)
}

/// `lora-r-4`: a method with what its label tells of its size.
fn named_in_file(method: &MethodConfig) -> String {
    let label = method.method().label();
    let is_size = |word: &&str| word.len() == 1 || word.starts_with(|c: char| c.is_ascii_digit());
    let size: Vec<&str> = label.split_whitespace().skip_while(|word| !is_size(word)).collect();
    std::iter::once(method.info().name).chain(size).collect::<Vec<_>>().join("-")
}

/// Whether the label of a run tells a knob: it has its value, and at its default it would read otherwise.
fn is_in_label(config: &RunConfig, key: &str) -> bool {
    let methods = config.methods().filter_map(|method| MethodConfig::named(method.info().name)).collect::<Vec<_>>();
    let Some((first, also)) = methods.split_first() else { return false };
    // A label tells how long a text is, and two of one length are not the same.
    let knobs = methods.iter().flat_map(|method| method.info().knobs);
    if knobs.filter(|knob| knob.name == key).any(|knob| matches!(knob.range, Range::Text { .. })) {
        return false;
    }
    let usual = RunConfig { method: first.clone(), also: also.to_vec(), ..config.clone() };
    let (Some(value), Some(own)) = (usual.knob(key), config.knob(key)) else { return false };
    config.label().contains(&own) && config.with(&[(key, &value)]).is_ok_and(|other| other.label() != config.label())
}
