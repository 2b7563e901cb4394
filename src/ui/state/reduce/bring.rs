//! What a visitor brings: data of their own, looked at before it is used. `bring_base` has checkpoints.
//!
//! Nothing of them leaves the machine:
//! files become addresses of this page, under which its trainer reads them like those of the site.

use crate::config::RunConfig;
use crate::task::TaskConfig;
use crate::task::user_data;
use crate::task::user_data::{Dropped, LabelledSplit, MAX_BYTES, Table, UserData, labelled};
use crate::ui::state::{Bring, Bringing, Effect, File, Offer, State};
use std::rc::Rc;

impl State {
    pub(super) fn bringing(&mut self, what: Bringing) -> Vec<Effect> {
        match what {
            Bringing::Open => self.bring.open = true,
            Bringing::Close => {
                // What was brought stays, what was only looked at goes.
                let Bring { data, wanted, wanted_base, looked_at, .. } = std::mem::take(&mut self.bring);
                self.bring = Bring { data, wanted, wanted_base, looked_at, ..Bring::default() };
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

    fn use_offer(&mut self) -> Vec<Effect> {
        if let Some(Offer::Base(_)) = &self.bring.offer {
            return self.use_base();
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
