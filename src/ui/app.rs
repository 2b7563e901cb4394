//! The root component: it holds the state, carries out the reducer's effects, and lays out the page.

use super::dialogs::{BringOwn, Cards, CostDialog, Experiments, FreeTextDialog, FreeTextProps, Help};
use super::dom;
use super::dropped;
use super::fetcher::Fetcher;
use super::hub::HubClient;
use super::panels::{Header, NetworkPanel, Notices, ResultsPanel, SetupPanel, SummaryPanel};
use super::state::{Action, Effect, FetchAsk, FreeTexting, State, Trainer};
use super::store::{NAME, Store};
use super::tabs;
use super::trainer::Client;
use crate::bases::Base;
use crate::model::files::gguf::Gguf;
use crate::protocol::{AssetUrls, Command};
use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::{DragEvent, KeyboardEvent, MediaQueryList};
use yew::prelude::*;

/// Below this width the page is one column; the style sheet has the same number.
const NARROW: &str = "(max-width: 719px)";
/// How often the page asks whether the WebGPU trainer has been built.
const POLL_MS: u32 = 4000;

/// The page.
pub struct App {
    state: State,
    on: Callback<Action>,
    clients: [Option<Client>; 2],
    store: Store,
    fetcher: Fetcher,
    hub: HubClient,
    /// Held for as long as the page lives.
    _listeners: Vec<EventListener>,
}

impl Component for App {
    type Message = Action;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let (mut state, effects) = State::open(dom::manifest(), &dom::hash());
        let on = ctx.link().callback(|action| action);
        let tab = tabs::name();
        state.name_tab(&tab);
        let store = Store::open(NAME, tab, on.clone());
        let (fetcher, hub) = (Fetcher::new(on.clone()), HubClient::new(on.clone()));
        let mut app = App { state, clients: [None, None], store, fetcher, hub, _listeners: listeners(&on), on };
        app.perform(effects);
        let on = app.on.clone();
        wasm_bindgen_futures::spawn_local(async move { on.emit(Action::GpuProbed(dom::probe_gpu().await)) });
        app
    }

    fn update(&mut self, _: &Context<Self>, action: Action) -> bool {
        let effects = self.state.reduce(action);
        self.perform(effects);
        true
    }

    fn view(&self, _: &Context<Self>) -> Html {
        let state = &self.state;
        let on = &self.on;
        html! {
            <>
                { Header::of(state, on) }
                <Notices notices={state.notices.clone()} on={on.clone()} />
                <main>
                    { SetupPanel::of(state, on) }
                    { NetworkPanel::of(state, on) }
                    { ResultsPanel::of(state, on) }
                    { SummaryPanel::of(state, on) }
                </main>
                <Help open={state.help} on={on.clone()} />
                { Experiments::of(state, on) }
                { Cards::of(state, on) }
                { CostDialog::of(state, on) }
                { BringOwn::of(state, on) }
                <FreeTextDialog ..FreeTextProps::of(state, on) />
            </>
        }
    }
}

/// Draws the page into the element `app` of the document, or into its body.
pub fn start() {
    console_error_panic_hook::set_once();
    let root = web_sys::window().and_then(|w| w.document()).and_then(|d| d.get_element_by_id("app"));
    match root {
        Some(root) => yew::Renderer::<App>::with_root(root).render(),
        None => yew::Renderer::<App>::new().render(),
    };
}

impl App {
    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Boot(trainer) => self.boot(trainer),
                Effect::Kill(trainer) => self.clients[trainer as usize] = None,
                Effect::Send(trainer, command) => {
                    if let Some(client) = &self.clients[trainer as usize] {
                        client.send(&command);
                    }
                }
                Effect::Publish(name, text) => {
                    if let Some(address) = dom::address_of(&text) {
                        self.on.emit(Action::Published(name, address));
                    }
                }
                Effect::Readdress => {
                    let assets = self.assets();
                    let clients = self.clients.iter().flatten();
                    clients.for_each(|client| client.send(&Command::Init { assets: assets.clone() }));
                }
                Effect::ReplaceHash(hash) => dom::replace_hash(&hash),
                Effect::FetchRuns(key) => {
                    let file = self.state.manifest.files.get(&key).cloned();
                    self.fetch(file, move |text| Action::Recordings(key.clone(), text));
                }
                Effect::FetchData(key) => {
                    let file = self.state.manifest.files.get(&key).cloned();
                    self.fetch(file, move |text| Action::Data(key.clone(), text));
                }
                Effect::FetchSweep(key) => {
                    let file = self.state.manifest.files.get(&key).cloned();
                    self.fetch(file, move |text| Action::Sweep(key.clone(), text));
                }
                Effect::FetchCard(id) => {
                    let file = self.state.manifest.files.get(&format!("models/{id}/card.json")).cloned();
                    self.fetch(file, move |text| Action::BaseCard(id.clone(), text));
                }
                Effect::FetchTokenizer(id) => {
                    let names = Base::named(&id).map(Base::tokenizer).unwrap_or_default();
                    let manifest = &self.state.manifest.files;
                    let files = names.iter().map(|name| (*name, manifest.get(&format!("models/{id}/{name}")).cloned()));
                    self.fetch_all(files.collect(), move |texts| Action::Tokenizer(id, texts));
                }
                Effect::Fetch(ask) => {
                    let parts = match &ask {
                        FetchAsk::Look(name) | FetchAsk::Begin(name) | FetchAsk::Forget(name) => {
                            self.state.manifest.parts.get(name).cloned().unwrap_or_default()
                        }
                        FetchAsk::Cancel => Vec::new(),
                    };
                    self.fetcher.ask(ask, parts);
                }
                Effect::List(number, id, file) => self.hub.list(number, id, file),
                Effect::FetchFromHub(number, model) => self.hub.fetch(number, model),
                Effect::LeaveHub => self.hub.leave(),
                Effect::PollManifest => self.poll_manifest(),
                Effect::Store(ask) => self.store.ask(ask),
                Effect::Present(on) => dom::set_present(on),
                Effect::Download(files) => files.iter().for_each(|file| dom::download(&file.name, &file.bytes)),
            }
        }
    }

    fn boot(&mut self, trainer: Trainer) {
        let manifest = &self.state.manifest;
        let script = match trainer {
            Trainer::Cpu => manifest.worker.clone(),
            Trainer::Gpu => manifest.worker_gpu.clone().unwrap_or_default(),
        };
        let assets = self.assets();
        // The old worker ends first: two would share the machine's cores.
        self.clients[trainer as usize] = None;
        match Client::start(trainer, &dom::absolute(&script), assets, self.on.clone()) {
            Ok(client) => self.clients[trainer as usize] = Some(client),
            Err(message) => self.on.emit(Action::WorkerDied(trainer, message)),
        }
    }

    /// Where everything is, for a trainer.
    fn assets(&self) -> AssetUrls {
        let files = self.state.manifest.files.iter().map(|(name, file)| (name.clone(), dom::absolute(file))).collect();
        AssetUrls { files, bases: Base::own().into_iter().map(Base::to_own).collect() }
    }

    fn fetch(&self, file: Option<String>, action: impl Fn(Option<String>) -> Action + 'static) {
        let on = self.on.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let text = match file {
                Some(file) => dom::fetch_text(&dom::absolute(&file), false).await,
                None => None,
            };
            on.emit(action(text));
        });
    }

    /// Several files that are of use together alone.
    fn fetch_all(
        &self,
        files: Vec<(&'static str, Option<String>)>,
        action: impl FnOnce(Option<Vec<(&'static str, String)>>) -> Action + 'static,
    ) {
        let on = self.on.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let mut texts = Vec::new();
            for (name, file) in &files {
                let Some(file) = file.as_ref().map(|file| dom::absolute(file)) else { continue };
                // One file that holds everything has the tokenizer at its beginning.
                let text = match Gguf::claims(name) {
                    true => ("tokenizer.json", dom::tokenizer_in(name, &file).await),
                    false => (*name, dom::fetch_text(&file, false).await),
                };
                texts.extend(text.1.map(|read| (text.0, read)));
            }
            on.emit(action(Some(texts).filter(|texts| texts.len() == files.len() && !files.is_empty())));
        });
    }

    fn poll_manifest(&self) {
        let on = self.on.clone();
        let present = self.state.manifest.clone();
        let poll = move || {
            wasm_bindgen_futures::spawn_local(async move {
                let text = dom::fetch_text(&dom::absolute("assets.json"), true).await;
                let manifest = text.and_then(|t| serde_json::from_str(&t).ok());
                on.emit(Action::Manifest(manifest.unwrap_or(present)));
            });
        };
        let _ = Timeout::new(POLL_MS, poll).forget();
    }
}

/// What the page listens to: the address, the keyboard, the width of the window.
fn listeners(on: &Callback<Action>) -> Vec<EventListener> {
    let Some(window) = web_sys::window() else { return Vec::new() };
    let mut listeners = vec![EventListener::new(&window, "hashchange", {
        let on = on.clone();
        move |_| on.emit(Action::Hash(dom::hash()))
    })];
    listeners.push(EventListener::new_with_options(
        &window,
        "keydown",
        EventListenerOptions::enable_prevent_default(),
        {
            let on = on.clone();
            move |event| {
                let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
                let undoes = event.key() == "z" && (event.ctrl_key() || event.meta_key()) && !event.shift_key();
                if undoes && !dom::takes_keys(event.target(), "z") {
                    event.prevent_default();
                    return on.emit(Action::Undo);
                }
                let action = match event.key().as_str() {
                    " " => Action::Main,
                    "s" => Action::Step,
                    "r" => Action::Rewind,
                    "t" => Action::FreeText(FreeTexting::Open(true)),
                    "?" => Action::Help(true),
                    _ => return,
                };
                let modified = event.ctrl_key() || event.alt_key() || event.meta_key();
                if !modified && !event.repeat() && !dom::takes_keys(event.target(), &event.key()) {
                    event.prevent_default();
                    on.emit(action);
                }
            }
        },
    ));
    // Files may be dropped anywhere; a browser would leave the page for them.
    for name in ["dragover", "drop"] {
        let on = on.clone();
        listeners.push(EventListener::new_with_options(
            &window,
            name,
            EventListenerOptions::enable_prevent_default(),
            move |event| {
                let Some(files) = event.dyn_ref::<DragEvent>().and_then(|e| e.data_transfer()) else { return };
                let is_drop = event.type_() == "drop";
                if is_drop && !dropped::has_files(&files) {
                    return;
                }
                event.prevent_default();
                if is_drop {
                    dropped::open(&files, &on);
                }
            },
        ));
    }
    if let Ok(Some(query)) = window.match_media(NARROW) {
        on.emit(Action::Compact(query.matches()));
        let on = on.clone();
        listeners.push(EventListener::new(&query, "change", move |event| {
            if let Some(query) = event.target().and_then(|t| t.dyn_into::<MediaQueryList>().ok()) {
                on.emit(Action::Compact(query.matches()));
            }
        }));
    }
    listeners
}
