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
use crate::task::user_data::{Dropped, LabelledSplit, MAX_BYTES, Table, UserData, Wish, labelled};
use crate::ui::state::{Bringing, Effect, File, Offer, OfferedBase, State};
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
                (self.bring.open, self.bring.offer, self.bring.fault) = (false, None, None);
                self.bring.pasted.clear();
            }
            Bringing::Type(text) => self.bring.pasted = text,
            Bringing::ReadPasted => {
                let bytes = self.bring.pasted.clone().into_bytes();
                return self.look_at_data(File::new("", bytes));
            }
            Bringing::TextColumn(i) => return self.choose_columns(|text, _| *text = i),
            Bringing::LabelColumn(i) => return self.choose_columns(|_, label| *label = i),
            Bringing::Header(header) => {
                if let Some(Offer::Table { file, wish, .. }) = &self.bring.offer {
                    let (file, wish) = (file.clone(), Wish { header: Some(header), ..*wish });
                    return self.look_at_as(file, wish);
                }
            }
            Bringing::AsText => {
                if let Some(Offer::Table { file, .. }) = &self.bring.offer {
                    let bytes = file.bytes.clone();
                    let stem = file.name.rsplit_once('.').map_or(file.name.as_str(), |(stem, _)| stem);
                    let file = File { name: format!("{stem}.txt"), bytes, at: None };
                    return self.look_at_as(file, Wish { table: Some(false), header: None });
                }
            }
            Bringing::AsTable => {
                if let Some(Offer::Text { file, .. }) = &self.bring.offer {
                    return self.look_at_as(file.clone(), Wish { table: Some(true), header: None });
                }
            }
            Bringing::Save => {
                if let Some((data, json)) = self.offered_data() {
                    return vec![Effect::Download(vec![File::new(format!("{}.json", data.name), json.into_bytes())])];
                }
            }
            Bringing::Use => return self.use_offer(),
        }
        Vec::new()
    }

    /// Reads a file with data and shows what is in it.
    pub(super) fn look_at_data(&mut self, file: File) -> Vec<Effect> {
        self.look_at_as(file, Wish::default())
    }

    fn look_at_as(&mut self, file: File, wish: Wish) -> Vec<Effect> {
        let bring = &mut self.bring;
        // What was chosen of a table stays while it is read in another way.
        let chosen = match &bring.offer {
            Some(Offer::Table { table, text, label, .. }) => Some((table.columns.len(), *text, *label)),
            _ => None,
        };
        (bring.open, bring.offer, bring.fault) = (true, None, None);
        let read = match file.size() {
            bytes if bytes > MAX_BYTES => Err(user_data::UserDataError::TooLarge { bytes }),
            _ => user_data::read_as(&file.name, &file.bytes, wish),
        };
        match read {
            Err(e) => bring.fault = Some(named(&file.name, &e.to_string())),
            Ok(Dropped::Text(text)) => bring.offer = Some(Offer::Text { file, text: text.into(), check: None }),
            Ok(Dropped::Table(table)) => {
                let chosen = chosen.filter(|(n, ..)| wish.header.is_some() && *n == table.columns.len());
                let chosen = chosen.map(|(_, text, label)| (text, label));
                let (text, label) = chosen.or_else(|| table.guess()).unwrap_or((0, 1));
                let read = read_columns(&table, text, label);
                bring.offer = Some(Offer::Table { file, table: Rc::new(table), text, label, read, wish, longer: None });
            }
        }
        self.count_offer()
    }

    fn choose_columns(&mut self, choose: impl Fn(&mut usize, &mut usize)) -> Vec<Effect> {
        if let Some(Offer::Table { table, text, label, read, longer, .. }) = &mut self.bring.offer {
            choose(text, label);
            (*read, *longer) = (read_columns(table, *text, *label), None);
        }
        self.count_offer()
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
        let Some((data, json)) = self.offered_data() else { return Vec::new() };
        self.bring.data.retain(|d| d.name != data.name);
        self.bring.data.push(data.clone());
        vec![Effect::Publish(data.file(), json)]
    }

    /// What is looked at as a task's file, where it can be used.
    fn offered_data(&self) -> Option<(UserData, String)> {
        match self.bring.offer.as_ref().filter(|offer| offer.is_usable())? {
            Offer::Text { file, text, .. } => Some(UserData::text(&file.name, text)),
            Offer::Table { file, read: Ok(labelled), .. } => Some(UserData::labelled(&file.name, labelled)),
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
