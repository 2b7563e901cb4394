//! A visitor's own data and checkpoints: kept when they are used, given back when the page opens, and let go of once
//! nothing refers to them.

use super::room::megabytes;
use crate::bases::Base;
use crate::config::RunConfig;
use crate::task::user_data::MAX_BYTES;
use crate::ui::state::parts::{Own, OwnAbout, OwnKept, SCHEMA};
use crate::ui::state::{Ask, Effect, NoticeTone, OwnFiles, Remedy, Run, State, Unkept};
use std::collections::BTreeSet;

/// Bytes of a checkpoint that is kept, at most.
const MOST_OF_A_BASE: u64 = 1_000_000_000;
/// Bytes of data as the trainer reads it, at most: more than any file that is read becomes.
const MOST_OF_DATA: u64 = 4 * MAX_BYTES as u64;

impl State {
    /// After every action: what the page or a run under way uses is kept, once.
    pub(super) fn keep_own(&mut self) -> Vec<Effect> {
        if !self.keeping.open || !self.keeps() {
            return Vec::new();
        }
        let mut used = OwnAbout::all_of(&self.config);
        used.extend(self.active().into_iter().flat_map(|run| OwnAbout::all_of(&run.config)));
        let mut effects = Vec::new();
        for about in used {
            let Some(id) = about.id().filter(|id| self.keeping.own.iter().all(|own| own.id != *id)) else { continue };
            let address = |name: String| Some((name.clone(), self.manifest.files.get(&name)?.clone()));
            let Some(files) = about.names().into_iter().map(address).collect::<Option<Vec<_>>>() else { continue };
            let Ok(json) = serde_json::to_string(&about) else { continue };
            let most = if about.data.is_some() { MOST_OF_DATA } else { MOST_OF_A_BASE };
            self.keeping.own.push(Own { id: id.clone(), title: about.title(), bytes: 0, kept: OwnKept::Asked });
            effects.push(Effect::Store(Ask::KeepOwn { id, about: json, files, most }));
        }
        effects
    }

    /// The store has kept something, or could not.
    pub(super) fn own_kept(&mut self, id: &str, bytes: u64, kept: Result<(), Unkept>) -> Vec<Effect> {
        let Some(own) = self.keeping.own.iter_mut().find(|own| own.id == id) else { return Vec::new() };
        own.bytes = bytes;
        own.kept = if kept.is_ok() { OwnKept::Kept } else { OwnKept::Not };
        let size = megabytes(bytes as f64);
        let why = match kept {
            Ok(()) => return Vec::new(),
            Err(Unkept::TooLarge) => format!("it has {size}, and {} are kept at most", megabytes(1e9)),
            Err(Unkept::NoRoom) => format!("it has {size}, and this browser gives the page less room"),
            Err(Unkept::Unread) => "its files can no longer be read".into(),
            Err(Unkept::Refused) => "this browser stores no such files".into(),
        };
        let text =
            format!("{} is not kept ({why}): after a reload, runs on it answer once you bring it again.", own.title);
        self.say(NoticeTone::Info, text, None)
    }

    /// What is kept of a visitor's own is on the page again.
    pub(super) fn own_is_back(&mut self, own: Vec<OwnFiles>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for OwnFiles { id, about, files } in own {
            // What cannot be read stays where it is.
            let Ok(about) = serde_json::from_str::<OwnAbout>(&about) else { continue };
            let is_whole = about.names().iter().all(|name| files.iter().any(|(file, ..)| file == name));
            if about.schema != SCHEMA || about.id().as_ref() != Some(&id) || !is_whole {
                continue;
            }
            if about.base.as_ref().is_some_and(|base| Base::register(base).is_err()) {
                continue;
            }
            let bytes = files.iter().map(|(.., bytes)| bytes).sum();
            for (name, address, _) in files {
                // Other addresses would have a trainer read them once more.
                self.manifest.files.entry(name).or_insert(address);
            }
            if let Some(data) = about.data.clone().filter(|data| self.bring.data.iter().all(|d| d.name != data.name)) {
                self.bring.data.push(data);
            }
            self.keeping.own.retain(|own| own.id != id);
            self.keeping.own.push(Own { id, title: about.title(), bytes, kept: OwnKept::Kept });
            effects = vec![Effect::Readdress];
        }
        if effects.is_empty() {
            return effects;
        }
        // What could not be read without it is read once more.
        self.keeping.aside.clear();
        self.notices.retain(|notice| notice.remedy != Some(Remedy::SaveAside));
        let data = self.bring.wanted.as_ref().is_some_and(|config| !self.lacks_own_data(config));
        let base = self.bring.wanted_base.as_ref().is_some_and(|(id, _)| Base::named(id).is_some());
        if (data || base) && self.active().is_none() {
            (self.bring.wanted, self.bring.wanted_base) = (None, None);
            self.keeping.unsaid.clear();
            self.notices.retain(|notice| notice.remedy != Some(Remedy::Bring));
            let hash = self.keeping.hash.clone();
            effects.extend(self.read_hash(&hash));
        }
        effects
    }

    /// What an address lacks is told once it is known that the store does not have it.
    pub(super) fn say_what_is_lacking(&mut self) {
        let unsaid = std::mem::take(&mut self.keeping.unsaid);
        self.notices.extend(unsaid);
    }

    /// Until the store has answered, nobody knows whether what an address asks for is there.
    pub(super) fn wait_with_what_is_lacking(&mut self) {
        let lacking = |notice: &crate::ui::state::Notice| notice.remedy == Some(Remedy::Bring);
        let (unsaid, said) = std::mem::take(&mut self.notices).into_iter().partition(lacking);
        (self.keeping.unsaid, self.notices) = (unsaid, said);
    }

    /// Lets go of what no run refers to, nor the page, nor what `page` says that it showed. Another tab may be
    /// about to use it, and a run that cannot be read may refer to it: then all stays.
    pub(super) fn forget_unused_own(&mut self, page: &str) -> Vec<Effect> {
        if self.keeping.others || !self.keeping.aside.is_empty() || !self.keeps() {
            return Vec::new();
        }
        let used = self.used_own();
        let is_unused = |own: &&Own| {
            let name = own.id.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
            own.kept == OwnKept::Kept && !used.contains(&own.id) && !page.contains(name)
        };
        let ids: Vec<String> = self.keeping.own.iter().filter(is_unused).map(|own| own.id.clone()).collect();
        self.keeping.own.retain(|own| !ids.contains(&own.id));
        if ids.is_empty() { Vec::new() } else { vec![Effect::Store(Ask::ForgetOwn(ids))] }
    }

    /// The visitor does not wish to have something kept. Until the page is closed it can be used.
    pub(super) fn forget_own(&mut self, id: String) -> Vec<Effect> {
        let Some(own) = self.keeping.own.iter_mut().find(|own| own.id == id) else { return Vec::new() };
        own.kept = OwnKept::Not;
        vec![Effect::Store(Ask::ForgetOwn(vec![id]))]
    }

    /// Ids of what runs and the page refer to.
    fn used_own(&self) -> BTreeSet<String> {
        let removed = self.keeping.removed.iter().flat_map(|removed| &removed.runs).map(|(_, run)| &run.config);
        let runs = self.runs.iter().map(|run| &run.config);
        let wanted = self.bring.wanted.iter().chain([&self.config]);
        let configs: Vec<&RunConfig> = runs.chain(removed).chain(wanted).collect();
        configs.into_iter().flat_map(OwnAbout::all_of).filter_map(|own| own.id()).collect()
    }

    /// What of the visitor's own the browser keeps, each with the number of runs on it.
    pub fn own_in_store(&self) -> Vec<(&Own, usize)> {
        let kept = self.keeping.own.iter().filter(|own| own.kept == OwnKept::Kept);
        let refers =
            |own: &Own, run: &&Run| OwnAbout::all_of(&run.config).iter().any(|o| o.id().as_ref() == Some(&own.id));
        kept.map(|own| (own, self.runs.iter().filter(|run| refers(own, run)).count())).collect()
    }

    /// Runs whose φ the browser keeps, and bytes of all of them.
    pub fn runs_in_store(&self) -> (usize, u64) {
        let kept = self.runs.iter().filter(|run| run.kept > 0);
        kept.fold((0, 0), |(n, bytes), run| (n + 1, bytes + run.kept))
    }
}
