//! What a visitor brings: data and checkpoints of their own, looked at before they are used.
//!
//! Nothing of them leaves the machine:
//! files become addresses of this page, under which its trainer reads them like those of the site.

use crate::base::grouped;
use crate::bases::{Base, OwnBase};
use crate::config::RunConfig;
use crate::model::ModelConfig;
use crate::task::TaskConfig;
use crate::task::user_data;
use crate::task::user_data::{Dropped, LabelledSplit, MAX_BYTES, Table, UserData, labelled};
use crate::ui::state::{Bring, Bringing, Effect, File, Offer, OfferedBase, State};
use std::rc::Rc;

/// A base is refused where reading it takes more.
/// WebAssembly's memory ends at 4 GiB, and training needs some of it.
const MAX_MEMORY: u64 = 7 << 29;

impl State {
    pub(super) fn bringing(&mut self, what: Bringing) -> Vec<Effect> {
        match what {
            Bringing::Open => self.bring.open = true,
            Bringing::Close => {
                // What was brought stays, what was only looked at goes.
                let Bring { data, wanted, .. } = std::mem::take(&mut self.bring);
                self.bring = Bring { data, wanted, ..Bring::default() };
            }
            Bringing::Type(text) => self.bring.pasted = text,
            Bringing::ReadPasted => {
                let bytes = self.bring.pasted.clone().into_bytes();
                self.look_at_data(File::new("", bytes));
            }
            Bringing::TextColumn(i) => self.choose_columns(|text, _| *text = i),
            Bringing::LabelColumn(i) => self.choose_columns(|_, label| *label = i),
            Bringing::AsText => {
                if let Some(Offer::Table { file, .. }) = &self.bring.offer {
                    let bytes = file.bytes.clone();
                    let stem = file.name.rsplit_once('.').map_or(file.name.as_str(), |(stem, _)| stem);
                    let file = File { name: format!("{stem}.txt"), bytes, at: None };
                    self.look_at_data(file);
                }
            }
            Bringing::Save => {
                if let Some(Ok((data, json))) = self.offered_data() {
                    return vec![Effect::Download(vec![File::new(format!("{}.json", data.name), json.into_bytes())])];
                }
            }
            Bringing::Use => return self.use_offer(),
        }
        Vec::new()
    }

    /// Reads a file with data and shows what is in it.
    pub(super) fn look_at_data(&mut self, file: File) {
        let bring = &mut self.bring;
        (bring.open, bring.offer, bring.fault) = (true, None, None);
        let read = match file.size() {
            bytes if bytes > MAX_BYTES => Err(user_data::UserDataError::TooLarge { bytes }),
            _ => user_data::read(&file.name, &file.bytes),
        };
        match read {
            Err(e) => bring.fault = Some(named(&file.name, &e.to_string())),
            Ok(Dropped::Text(text)) => match UserData::text(&file.name, &text) {
                Err(e) => bring.fault = Some(named(&file.name, &e.to_string())),
                Ok(_) => bring.offer = Some(Offer::Text { name: file.name, text: text.into() }),
            },
            Ok(Dropped::Table(table)) => {
                let (text, label) = table.guess().unwrap_or((0, 1));
                let read = read_columns(&table, text, label);
                bring.offer = Some(Offer::Table { file, table: Rc::new(table), text, label, read });
            }
        }
    }

    fn choose_columns(&mut self, choose: impl Fn(&mut usize, &mut usize)) {
        if let Some(Offer::Table { table, text, label, read, .. }) = &mut self.bring.offer {
            choose(text, label);
            *read = read_columns(table, *text, *label);
        }
    }

    /// Looks at a checkpoint: everything but its weights is checked before they are read.
    pub(super) fn look_at_base(&mut self, files: &[File]) {
        let bring = &mut self.bring;
        (bring.open, bring.offer, bring.fault) = (true, None, None);
        match offered_base(files) {
            Ok(base) => bring.offer = Some(Offer::Base(base)),
            Err(message) => bring.fault = Some(message),
        }
    }

    fn use_offer(&mut self) -> Vec<Effect> {
        if let Some(Offer::Base(base)) = &self.bring.offer {
            return self.use_base(base.clone());
        }
        let Some(made) = self.offered_data() else { return Vec::new() };
        match made {
            Ok((data, json)) => {
                self.bring.data.retain(|d| d.name != data.name);
                self.bring.data.push(data.clone());
                vec![Effect::Publish(data.file(), json)]
            }
            Err(e) => {
                self.bring.fault = Some(e.to_string());
                Vec::new()
            }
        }
    }

    /// What is looked at as a task's file.
    fn offered_data(&self) -> Option<Result<(UserData, String), user_data::UserDataError>> {
        match self.bring.offer.as_ref()? {
            Offer::Text { name, text } => Some(UserData::text(name, text)),
            Offer::Table { file, read: Ok(labelled), .. } => Some(Ok(UserData::labelled(&file.name, labelled))),
            _ => None,
        }
    }

    /// A visitor's data has an address now: the page turns to it.
    pub(super) fn published(&mut self, file: String, address: String) -> Vec<Effect> {
        self.manifest.files.insert(file.clone(), address);
        let mut effects = vec![Effect::Readdress];
        effects.extend(self.bringing(Bringing::Close));
        let wanted = self.bring.wanted.take_if(|config| config.task.file().as_deref() == Some(&file));
        match (wanted, self.bring.data.iter().find(|d| d.file() == file).cloned()) {
            (Some(config), _) => effects.extend(self.adopt(config)),
            (None, Some(data)) => effects.extend(self.turn_to(TaskConfig::UserData { data, examples: None })),
            (None, None) => {}
        }
        effects
    }

    fn use_base(&mut self, offered: OfferedBase) -> Vec<Effect> {
        let base = match Base::register(&offered.own) {
            Ok(base) => base,
            Err(e) => {
                self.bring.fault = Some(e.to_string());
                return Vec::new();
            }
        };
        self.manifest.files.extend(offered.files);
        let mut effects = vec![Effect::Readdress];
        effects.extend(self.bringing(Bringing::Close));
        effects.extend(self.choose_base(base.id));
        effects
    }

    /// Whether a configuration needs data that only its visitor has.
    pub(super) fn lacks_own_data(&self, config: &RunConfig) -> bool {
        let file = config.task.file().filter(|_| matches!(config.task, TaskConfig::UserData { .. }));
        file.is_some_and(|file| !self.manifest.files.contains_key(&file))
    }
}

fn named(file: &str, message: &str) -> String {
    if file.is_empty() { message.to_string() } else { format!("{file}: {message}") }
}

fn read_columns(table: &Table, text: usize, label: usize) -> Result<Rc<LabelledSplit>, String> {
    labelled(table, text, label, 0).map(Rc::new).map_err(|e| e.to_string())
}

fn offered_base(files: &[File]) -> Result<OfferedBase, String> {
    let file = |name: &str| files.iter().find(|f| f.name == name);
    let has = |end: &str| files.iter().any(|f| f.name.ends_with(end));
    let config = file("config.json")
        .ok_or("config.json is missing: a checkpoint is config.json, model.safetensors and tokenizer.json together.")?;
    let weights = file("model.safetensors").ok_or_else(|| {
        if has(".index.json") {
            "The weights are in several files: load the model in transformers and write it again with model.save_pretrained(folder, max_shard_size=\"20GB\")."
        } else if has(".bin") {
            "pytorch_model.bin is a Python pickle, which no page should open: load the model in transformers and write it again with model.save_pretrained(folder), which gives model.safetensors."
        } else {
            "model.safetensors is missing: a checkpoint is config.json, model.safetensors and tokenizer.json together."
        }
    })?;
    let tokenizer = file("tokenizer.json").ok_or(
        "tokenizer.json is missing: AutoTokenizer.from_pretrained(folder).save_pretrained(folder) in transformers writes it.",
    )?;
    let text = std::str::from_utf8(&config.bytes).map_err(|_| "config.json is not text.")?;
    let model = ModelConfig::from_json(text).map_err(|e| e.to_string())?;
    let (parameters, bytes) = (model.parameters(), weights.size());
    if (bytes as u64) < 2 * parameters {
        return Err(format!(
            "model.safetensors has {} bytes, and config.json describes {} parameters, which take {} at half precision: is the file cut short, or of another model?",
            grouped(bytes),
            grouped(parameters),
            grouped(2 * parameters)
        ));
    }
    let name = config.folder().map_or_else(|| name_in(text), String::from);
    let own = OwnBase::new(&name, text, bytes, tokenizer.size()).map_err(|e| e.to_string())?;
    let address = |file: &File, what: &str| {
        let at = file.at.as_ref().ok_or_else(|| format!("{what} cannot be read."))?;
        Ok::<_, String>((format!("models/{}/{what}", own.id), at.address.clone()))
    };
    let files = vec![
        address(config, "config.json")?,
        address(weights, "model.safetensors")?,
        address(tokenizer, "tokenizer.json")?,
    ];
    let offered = OfferedBase { own, model, bytes, files };
    if offered.loading() > MAX_MEMORY {
        return Err(format!(
            "This checkpoint has {} parameters: reading it takes {:.1} GB, and a page has no more than 4 GB in all. `peft-lab` on the command line has no such limit.",
            grouped(parameters),
            offered.loading() as f64 / 1e9
        ));
    }
    Ok(offered)
}

/// What a checkpoint calls itself, for a name.
fn name_in(config: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(config).unwrap_or_default();
    let named =
        value["_name_or_path"].as_str().and_then(|path| path.rsplit('/').next()).filter(|name| !name.is_empty());
    named.or(value["model_type"].as_str()).unwrap_or("checkpoint").to_string()
}
