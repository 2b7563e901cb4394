//! The page as it opens, and the reducer: each action goes to the method that carries it out.

use crate::config::RunConfig;
use crate::ui::assets::Manifest;
use crate::ui::state::{
    Action, Bring, Costs, Dial, Drafts, Effect, FreeText, Grid, Keeping, Queue, Remedy, State, Tab, Trainer, TryIt,
};
use std::collections::BTreeMap;
use std::rc::Rc;

impl State {
    /// The page as an address opens it, and what has to be fetched for it.
    pub fn open(manifest: Manifest, hash: &str) -> (State, Vec<Effect>) {
        let mut state = State {
            config: RunConfig::default(),
            drafts: Drafts::new(),
            left_methods: Vec::new(),
            hidden: Vec::new(),
            runs: Vec::new(),
            recordings: BTreeMap::new(),
            data: BTreeMap::new(),
            fetched: BTreeMap::new(),
            gpu: None,
            gpu_failed: false,
            warming: None,
            loading: None,
            workers: Default::default(),
            speed: None,
            launch: None,
            begins_if_here: None,
            step_when_started: None,
            held: None,
            heard_at: 0.0,
            notices: Vec::new(),
            try_it: TryIt::default(),
            free_text: FreeText::default(),
            bring: Bring::default(),
            costs: Costs::default(),
            grid: Grid::default(),
            queue: Queue::default(),
            keeping: Keeping { bare: hash.trim_start_matches('#').is_empty(), ..Keeping::default() },
            looked_at: None,
            dial: Dial::default(),
            spread: None,
            sweeps: BTreeMap::new(),
            experiment: None,
            cards: BTreeMap::new(),
            card: false,
            python: false,
            tab: Tab::default(),
            present: false,
            help: false,
            compact: false,
            // 0 means no run at all in a `predict` command.
            next_run: 1,
            next_notice: 0,
            manifest,
        };
        // The CPU trainer is small: it is there before anyone presses Train.
        let mut effects = state.boot(Trainer::Cpu);
        if state.manifest.is_being_built() {
            effects.push(Effect::PollManifest);
        }
        effects.extend(state.read_hash(hash));
        effects.extend(state.look_for_base());
        (state, effects)
    }

    /// The next state, and what it asks of the browser.
    pub fn reduce(&mut self, action: Action) -> Vec<Effect> {
        let mut effects = self.carry_out(action);
        effects.extend(self.look_for_base());
        effects.extend(self.measure_speed());
        effects.extend(self.keep_own());
        effects.extend(self.spare_trainers());
        effects.extend(self.recall_chosen());
        effects.extend(self.keep_what_is_shown());
        effects
    }

    fn carry_out(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Hash(hash) => return self.read_hash(&hash),
            Action::Set(key, text) => return self.set(key, &text),
            Action::Combine(name) => return self.combine(name),
            Action::Settle(key) => self.settle(key),
            Action::Main => return self.press_main(),
            Action::Step => return self.press_step(),
            Action::Stop => return self.press_stop(),
            Action::Rewind => return self.press_rewind(),
            Action::Remove(id) => return self.remove(&[id]),
            Action::RemoveAll { elsewhere } => return self.remove(&self.removable(elsewhere)),
            Action::Undo => return self.undo(None),
            Action::GoOn(id) => return self.go_on(id),
            Action::SaveAll => return self.save_all(),
            Action::Store(said) => return self.store_said(said),
            Action::LookAt(id) => return self.look_at(id),
            Action::Dial(lambda) => return self.set_dial(lambda),
            Action::SaveRun => return self.save_run(),
            Action::ExportAdapter => return self.export_adapter(),
            Action::MergePhi => return self.merge_phi(),
            Action::Python(shown) => self.python = shown,
            Action::Open(files) => return self.open_files(files),
            Action::Refuse(why) => self.refuse(why),
            Action::Costing(what) => self.costing(what),
            Action::Bring(what) => return self.bringing(what),
            Action::Hub(wish) => return self.wish_of_hub(wish),
            Action::FromHub(number, said) => return self.hub_said(number, said),
            Action::Published(file, address) => return self.published(file, address),
            Action::Remedy(notice, Remedy::Undo) => return self.undo(Some(notice)),
            Action::Remedy(notice, remedy) => {
                let mut effects = self.dismiss(notice);
                effects.extend(self.remedy(remedy));
                return effects;
            }
            Action::Dismiss(id) => return self.dismiss(id),
            Action::Tab(tab) => self.tab = tab,
            Action::Present => {
                self.present = !self.present;
                return vec![Effect::Present(self.present)];
            }
            Action::Help(open) => self.help = open,
            Action::Compact(compact) => self.compact = compact,
            Action::MeasureSpread => return self.measure_spread(),
            Action::StopSpread => return self.stop_spread(),
            Action::Experiment(key) => return self.show_experiment(key),
            Action::Sweep(key, text) => {
                let read = text.and_then(|text| serde_json::from_str(&text).ok());
                self.sweeps.insert(key, read.map(Rc::new));
            }
            Action::EditGrid(field, text) => self.edit_grid(field, text),
            Action::RunGrid => return self.run_grid(),
            Action::RunFigure => return self.run_figure(),
            Action::StopQueue => return self.stop_queue(),
            Action::Card(shown) => return self.show_card(shown),
            Action::BaseCard(id, text) => {
                let read = text.and_then(|text| serde_json::from_str(&text).ok());
                self.cards.insert(id, read.map(Rc::new));
            }
            Action::Tokenizer(id, files) => return self.tokenizer_arrived(id, files.as_deref()),
            Action::EditTryIt(text) => return self.edit_try_it(text),
            Action::FreeText(what) => return self.free_texting(what),
            Action::AskTryIt => return self.ask_try_it(),
            Action::Recordings(key, text) => self.recordings_arrived(key, text.as_deref()),
            Action::Data(key, text) => return self.data_arrived(key, text.as_deref()),
            Action::GpuProbed(probe) => {
                self.gpu = Some(probe);
                let mut effects = self.advance();
                effects.extend(self.prefetch());
                return effects;
            }
            Action::Fetch(wish) => return self.wish(wish),
            Action::Fetched(name, said) => return self.fetch_said(name, said),
            Action::Manifest(manifest) => return self.read_manifest(manifest),
            Action::Heard(trainer, events, now) => return self.hear(trainer, events, now),
            Action::WorkerDied(trainer, message) => return self.worker_died(trainer, &message),
        }
        Vec::new()
    }
}
