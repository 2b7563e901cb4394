//! What a visitor brings: data of their own, looked at before it is used. `bring_base` has checkpoints.
//!
//! Nothing of them leaves the machine:
//! files become addresses of this page, under which its trainer reads them like those of the site.

use crate::config::RunConfig;
use crate::task::TaskConfig;
use crate::task::user_data;
use crate::task::user_data::{Columns, Dropped, MAX_BYTES, Table, UserData, Wish, refusal};
use crate::ui::state::{Bringing, Effect, File, HubPhase, HubWish, Offer, State};
use std::rc::Rc;

impl State {
    pub(super) fn bringing(&mut self, what: Bringing) -> Vec<Effect> {
        match what {
            Bringing::Open => self.bring.open = true,
            Bringing::Close => {
                // What was brought stays, what was only looked at goes.
                (self.bring.open, self.bring.offer, self.bring.fault) = (false, None, None);
                self.bring.pasted.clear();
                // What is on its way would open the dialog again.
                if matches!(self.bring.hub.phase, HubPhase::Asked | HubPhase::Fetching(..)) {
                    return self.wish_of_hub(HubWish::Cancel);
                }
            }
            Bringing::Type(text) => self.bring.pasted = text,
            Bringing::ReadPasted => {
                let bytes = self.bring.pasted.clone().into_bytes();
                return self.look_at_data(File::new("", bytes));
            }
            Bringing::TextColumn(i) => return self.choose_columns(|text, _, _| *text = i),
            Bringing::LabelColumn(i) => return self.choose_columns(|_, label, _| *label = i),
            Bringing::Answers(chosen) => return self.choose_columns(|_, _, answers| *answers = chosen),
            Bringing::Header(header) => {
                if let Some(Offer::Table { file, wish, .. }) = &self.bring.offer {
                    let (file, wish) = (file.clone(), Wish { header: Some(header), ..*wish });
                    return self.look_at_as(file, wish);
                }
            }
            Bringing::AsText => {
                if let Some(Offer::Table { file, .. } | Offer::Chats { file, .. }) = &self.bring.offer {
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
            Bringing::Forget(id) => return self.forget_own(id),
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
            Some(Offer::Table { table, text, label, answers, .. }) => {
                Some((table.columns.len(), (*text, *label), *answers))
            }
            _ => None,
        };
        (bring.open, bring.offer, bring.fault) = (true, None, None);
        let read = match file.size() {
            bytes if bytes > MAX_BYTES => Err(user_data::UserDataError::TooLarge { bytes }),
            _ => user_data::read_as(&file.name, &file.bytes, wish),
        };
        match read {
            Err(e) => bring.fault = Some(e.about(&file.name)),
            Ok(Dropped::Text(text)) => bring.offer = Some(Offer::Text { file, text: text.into(), check: None }),
            Ok(Dropped::Table(table)) => {
                let chosen = chosen.filter(|(n, ..)| wish.header.is_some() && *n == table.columns.len());
                let chosen = chosen.map(|(_, columns, answers)| (columns, answers));
                let answered = || table.guess_answers().map(|columns| (columns, true));
                let labelled = || table.guess().map(|columns| (columns, false));
                let chosen = chosen.or_else(answered).or_else(labelled).unwrap_or(((0, 1), false));
                let ((text, label), answers) = chosen;
                let read = read_columns(&table, text, label, answers);
                let table = Rc::new(table);
                bring.offer = Some(Offer::Table { file, table, text, label, answers, read, wish, longer: None });
            }
            Ok(Dropped::Chats(chats)) => {
                bring.offer = Some(Offer::Chats { file, split: Rc::new(chats.split(0)) });
            }
        }
        self.count_offer()
    }

    fn choose_columns(&mut self, choose: impl Fn(&mut usize, &mut usize, &mut bool)) -> Vec<Effect> {
        if let Some(Offer::Table { table, text, label, answers, read, longer, .. }) = &mut self.bring.offer {
            choose(text, label, answers);
            (*read, *longer) = (read_columns(table, *text, *label, *answers), None);
        }
        self.count_offer()
    }

    fn use_offer(&mut self) -> Vec<Effect> {
        if let Some(Offer::Base(_)) = &self.bring.offer {
            return self.use_base();
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
            Offer::Table { file, read: Ok(columns), .. } => Some(columns.data(&file.name)),
            Offer::Chats { file, split } => Some(UserData::answered(&file.name, split)),
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

fn read_columns(table: &Table, text: usize, label: usize, answers: bool) -> Result<Columns, String> {
    Columns::of(table, text, label, answers).map_err(|e| refusal(table, &e))
}
