//! The trainer's loop in a Web Worker: commands in, events out, one step between two turns of the event loop.

use super::data_parallel;
use super::data_parallel::Workers;
use crate::base::{Failure, FailureReason};
use crate::bases::{Base, OwnBase};
use crate::config::RunConfig;
use crate::interchange::hf_adapter;
use crate::interchange::hf_adapter::AdapterFiles;
use crate::interchange::{base64, from_base64};
use crate::protocol::Event;
use crate::protocol::{AssetUrls, Command};
use crate::train::library::{Files, LoadedBase, Materials};
use crate::train::micro_batch::Helpers;
use crate::train::spread::Spread;
use crate::train::{Session, WARM_UPS};
use burn::tensor::Device;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, Response};

#[cfg(feature = "webgpu")]
unsafe extern "C" {
    /// Runs the module's constructors, by which CubeCL registers its operations. The linker makes it; where nobody calls it, every call from
    /// JavaScript into the module, even for a slot in wasm-bindgen's table, begins with all of them: eight milliseconds for each dispatch.
    fn __wasm_call_ctors();
}

/// What a worker trains on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Cpu,
    #[cfg(feature = "webgpu")]
    Webgpu,
}

impl Backend {
    /// Name in events and in the URL.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Cpu => "cpu",
            #[cfg(feature = "webgpu")]
            Backend::Webgpu => "webgpu",
        }
    }

    /// The device, or a sentence why there is none.
    pub async fn device(self) -> Result<Device, Failure> {
        match self {
            Backend::Cpu => Ok(Device::flex()),
            #[cfg(feature = "webgpu")]
            Backend::Webgpu => {
                // Burn registers one device for a worker's life; a second request for it would be refused.
                if let Some(device) = GPU.with_borrow(Clone::clone) {
                    return Ok(device);
                }
                // SAFETY: constructors may run once more (`inventory`'s, the only ones, know that they have run).
                unsafe { __wasm_call_ctors() };
                let device = Device::wgpu_options().init_async().await.map_err(|e| Failure {
                    reason: FailureReason::Device,
                    message: format!("This browser gives no WebGPU device ({e}). Train on the CPU instead."),
                })?;
                GPU.set(Some(device.clone()));
                Ok(device)
            }
        }
    }
}

#[derive(Default)]
struct Inbox {
    commands: VecDeque<Command>,
    waker: Option<Waker>,
}

thread_local! {
    static INBOX: RefCell<Inbox> = RefCell::default();
    #[cfg(feature = "webgpu")]
    static GPU: RefCell<Option<Device>> = const { RefCell::new(None) };
    static BACKEND: Cell<Backend> = const { Cell::new(Backend::Cpu) };
}

/// A training step at one of [`crate::experiments::bench::SHAPES`], [`crate::experiments::bench::Measured`] in JSON, for `cargo xtask bench`.
#[wasm_bindgen]
pub async fn bench(shape: String, method: String, steps: u32) -> Result<String, JsValue> {
    let unknown = || JsValue::from_str("no such shape or method");
    let shape = crate::experiments::bench::SHAPES.iter().find(|s| s.name == shape).ok_or_else(unknown)?;
    let (_, method) =
        crate::experiments::bench::methods(shape).into_iter().find(|(name, _)| *name == method).ok_or_else(unknown)?;
    let failed = |f: Failure| JsValue::from_str(&f.message);
    let device = BACKEND.get().device().await.map_err(failed)?;
    let measured = shape.measure(&method, &device, steps as usize, now).await.map_err(failed)?;
    serde_json::to_string(&measured).map_err(|e| JsValue::from_str(&e.to_string()))
}

/// A message of the page: one [`Command`] as JSON. The boot script hands them on in order.
#[wasm_bindgen]
pub fn receive(text: &str) {
    match serde_json::from_str(text) {
        Ok(command) => INBOX.with_borrow_mut(|inbox| {
            // At once: what comes behind may name them.
            if let Command::Init { assets } = &command {
                assets.bases.iter().for_each(|base| drop(Base::register(base)));
            }
            inbox.commands.push_back(command);
            if let Some(waker) = inbox.waker.take() {
                waker.wake();
            }
        }),
        Err(e) => post(&Event::Failed {
            run: 0,
            reason: FailureReason::Input,
            message: format!("The trainer does not understand a message of the page: {e}."),
        }),
    }
}

/// Starts the loop. A panic ends the worker, but says so first.
pub fn start(backend: Backend) {
    std::panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        let (reason, message) = match backend {
            Backend::Cpu => (
                FailureReason::Crash,
                "The trainer stopped by a fault of ours. What was measured is kept; press Train to go on with a new one.",
            ),
            #[cfg(feature = "webgpu")]
            Backend::Webgpu => (
                FailureReason::Device,
                "The GPU stopped working for this page. What was measured is kept; train on the CPU to go on.",
            ),
        };
        post(&Event::Failed { run: 0, reason, message: message.into() });
    }));
    BACKEND.set(backend);
    spawn_local(Trainer::run(backend));
}

struct Trainer {
    backend: Backend,
    device: Device,
    files: Fetch,
    bases: HashMap<&'static str, Rc<LoadedBase>>,
    /// What the last run needed besides its base, and its configuration: the next one mostly needs the same.
    materials: Option<(RunConfig, Rc<Materials>)>,
    session: Option<Session>,
    /// The number of the session's run, and whether it steps.
    run: u32,
    running: bool,
    /// What depends on the prompt, being measured while nothing trains.
    spread: Option<Spread>,
    /// φ of earlier runs, the oldest first: θ is one for all of them.
    shelf: VecDeque<Session>,
    helpers: Rc<Workers>,
    /// The run that the page expects next: a GPU compiles for it as soon as nothing trains.
    expected: Option<RunConfig>,
    /// What it compiles for, and the parts done.
    warming: Option<(Session, usize)>,
    /// What it has compiled for, by [`kind`].
    warmed: HashSet<String>,
}

/// How many earlier φ are kept.
const SHELF: usize = 24;

impl Trainer {
    async fn run(backend: Backend) {
        let assets = loop {
            if let Command::Init { assets } = next_command().await {
                break assets;
            }
        };
        let device = match backend.device().await {
            Ok(device) => device,
            Err(failure) => return post_failure(0, failure),
        };
        post(&Event::Ready { device: backend.name().into() });
        let helpers = Rc::new(Workers::default());
        helpers.set_assets(assets.clone());
        let mut trainer = Trainer {
            helpers,
            backend,
            device,
            files: Fetch(assets),
            bases: HashMap::new(),
            materials: None,
            session: None,
            run: 0,
            running: false,
            spread: None,
            shelf: VecDeque::new(),
            expected: None,
            warming: None,
            warmed: HashSet::new(),
        };
        let turns = Turns::new();
        loop {
            let command = if trainer.has_work() {
                INBOX.with_borrow_mut(|i| i.commands.pop_front())
            } else {
                Some(next_command().await)
            };
            if let Some(command) = command {
                trainer.handle(command).await;
            } else {
                match trainer.running {
                    true => trainer.advance(false).await,
                    false if trainer.spread.is_some() => trainer.measure_spread().await,
                    false if trainer.warming.is_some() => trainer.warm_up().await,
                    false => trainer.begin_warm_up().await,
                }
                turns.next().await;
            }
        }
    }

    /// Whether there is something to do without a command.
    fn has_work(&self) -> bool {
        self.running || self.spread.is_some() || self.warming.is_some() || self.expected.is_some()
    }

    async fn handle(&mut self, command: Command) {
        let asked = match &command {
            Command::Dial { run, .. } | Command::Save { run } | Command::Export { run } | Command::Merge { run } => {
                Some(*run)
            }
            Command::Restore { run, .. } | Command::Import { run, .. } | Command::Spread { run, .. } => Some(*run),
            // It belongs to no run.
            Command::Prefetch { .. } => Some(0),
            _ => None,
        };
        let result = match command {
            Command::Init { assets } => {
                self.helpers.set_assets(assets.clone());
                self.files = Fetch(assets);
                Ok(())
            }
            // Failures of the site's files come again, and are told, when a run needs them; a visitor waits to hear of their own.
            Command::Prefetch { config } => match self.load(&config).await {
                Err(failure) if config.base.is_own() => Err(failure),
                Err(_) => Ok(()),
                Ok(_) => {
                    self.expected = (self.backend != Backend::Cpu).then_some(config);
                    Ok(())
                }
            },
            Command::Start { run, config, paused } => {
                self.shelve();
                (self.expected, self.warming) = (None, None);
                // A run ends the measurement: it would read the run's task as its own.
                self.spread = None;
                self.run = run;
                self.begin(run, config, paused).await
            }
            Command::Pause => {
                if self.running {
                    self.running = false;
                    self.tell(|run, step| Event::Paused { run, step });
                }
                Ok(())
            }
            Command::Resume => {
                if self.session.as_ref().is_some_and(|s| !s.done()) && !self.running {
                    self.running = true;
                    self.tell(|run, step| Event::Resumed { run, step });
                }
                Ok(())
            }
            Command::Step => {
                self.running = false;
                if self.session.as_ref().is_some_and(|s| !s.done()) {
                    self.advance(true).await;
                    if self.session.as_ref().is_some_and(|s| !s.done()) {
                        self.tell(|run, step| Event::Paused { run, step });
                    }
                }
                Ok(())
            }
            Command::Stop => {
                self.running = false;
                self.spread = None;
                if self.session.as_ref().is_some_and(|s| !s.done()) {
                    self.tell(|run, step| Event::Stopped { run, step });
                }
                Ok(())
            }
            Command::Dial { run, lambda } => self.dial(run, lambda).await,
            Command::Save { run } => self.save(run).await,
            Command::Export { run } => self.export(run).await,
            Command::Merge { run } => self.merge(run).await,
            Command::Restore { run, config, events, tensors } => self.restore(run, config, events, &tensors).await,
            Command::Import { run, config, adapter_config, weights } => {
                self.import(run, config, adapter_config, &weights).await
            }
            Command::Spread { run, config } => self.begin_spread(run, config).await,
            Command::Forget { run } => {
                self.shelf.retain(|session| session.run() != run);
                Ok(())
            }
            Command::Predict { run, config, text } => {
                if let Err(failure) = self.predict(run, config, &text).await {
                    post_failure(run, failure);
                }
                Ok(())
            }
        };
        if let Err(failure) = result {
            post_failure(asked.unwrap_or(self.run), failure);
        }
    }

    fn tell(&self, event: impl Fn(u32, usize) -> Event) {
        if let Some(session) = &self.session {
            post(&event(self.run, session.step()));
        }
    }

    async fn begin(&mut self, run: u32, config: RunConfig, paused: bool) -> Result<(), Failure> {
        let on_cpu = self.backend == Backend::Cpu;
        let workers = if on_cpu { data_parallel::wanted(&config) } else { 1 };
        // They load beside the first evaluation and steps; those that this run has no part for end.
        self.helpers.resize(workers - 1);
        self.warmed.insert(kind(&config));
        let mut session = self.session_for(run, config).await?;
        session.help((workers > 1).then(|| self.helpers.clone() as Rc<dyn Helpers>));
        session.begin().await?.iter().for_each(post);
        self.session = Some(session);
        self.running = !paused;
        if paused {
            self.tell(|run, step| Event::Paused { run, step });
        }
        Ok(())
    }

    /// A GPU would have to compile while the run's first step waits.
    async fn begin_warm_up(&mut self) {
        let Some(config) = self.expected.take() else { return };
        // A configuration at fault is told of when it starts.
        if !self.warmed.contains(&kind(&config))
            && let Ok(session) = self.session_for(0, config).await
        {
            self.warming = Some((session, 0));
            post(&Event::Warming { done: 0, of: WARM_UPS });
        }
    }

    async fn warm_up(&mut self) {
        let Some((session, done)) = &mut self.warming else { return };
        let warmed = session.warm_up(*done).await;
        *done += 1;
        let done = *done;
        // A device that fails here fails the run that comes next, which tells.
        if warmed.is_err() || done == WARM_UPS {
            self.warmed.insert(kind(session.config()));
            self.warming = None;
        }
        post(&Event::Warming { done: if warmed.is_ok() { done } else { WARM_UPS }, of: WARM_UPS });
    }

    async fn session_for(&mut self, run: u32, config: RunConfig) -> Result<Session, Failure> {
        let base = self.load(&config).await?;
        let materials = self.materials.as_ref().map_or(&Materials::NONE, |(_, materials)| materials.as_ref());
        Session::new(run, config, base, materials, &self.device, self.backend.name(), now)
    }

    /// One step. What goes wrong ends the run, keeps φ for predictions no longer, and is told.
    async fn advance(&mut self, single: bool) {
        let Some(session) = &mut self.session else { return };
        match session.advance(single).await {
            Ok(events) => {
                events.iter().for_each(post);
                self.running &= !session.done();
            }
            Err(failure) => {
                self.running = false;
                self.session = None;
                post_failure(self.run, failure);
            }
        }
    }

    async fn begin_spread(&mut self, run: u32, config: RunConfig) -> Result<(), Failure> {
        let base = self.load(&config).await?;
        let materials = self.materials.as_ref().map_or_else(|| Rc::new(Materials::NONE), |(_, m)| m.clone());
        self.spread = Some(Spread::new(run, config, base, materials, &self.device)?);
        Ok(())
    }

    /// One prompt more.
    async fn measure_spread(&mut self) {
        let Some(spread) = &mut self.spread else { return };
        match spread.advance().await {
            Ok(event) => {
                event.iter().for_each(post);
                if spread.done() {
                    self.spread = None;
                }
            }
            Err(failure) => {
                self.spread = None;
                post_failure(0, failure);
            }
        }
    }

    /// Puts the session away, if it has learnt anything.
    fn shelve(&mut self) {
        self.running = false;
        if let Some(session) = self.session.take().filter(|s| s.step() > 0) {
            self.shelf.retain(|s| s.run() != session.run());
            self.shelf.push_back(session);
        }
        while self.shelf.len() > SHELF {
            self.shelf.pop_front();
        }
    }

    /// The session of a run, at work or put away.
    fn held(&self, run: u32) -> Result<&Session, Failure> {
        let sessions = self.session.iter().chain(&self.shelf);
        sessions.into_iter().find(|s| s.run() == run).ok_or_else(|| Failure {
            reason: FailureReason::Input,
            message: "The trainer no longer holds this run's φ: train it again, or open its file.".into(),
        })
    }

    async fn dial(&self, run: u32, lambda: f64) -> Result<(), Failure> {
        let (evaluation, items) = self.held(run)?.dialled(lambda).await?;
        let (loss, accuracy, n) = (evaluation.loss, evaluation.accuracy, evaluation.n);
        post(&Event::Dialled { run, lambda, loss, accuracy, n, items });
        Ok(())
    }

    async fn save(&self, run: u32) -> Result<(), Failure> {
        let text = self.held(run)?.run_file(hardware()).await?;
        post(&Event::RunFile { run, text });
        Ok(())
    }

    async fn export(&self, run: u32) -> Result<(), Failure> {
        let files = self.held(run)?.export().await?;
        post(&Event::Adapter { run, config: files.config, weights: base64(&files.weights) });
        Ok(())
    }

    async fn merge(&self, run: u32) -> Result<(), Failure> {
        post(&self.held(run)?.merge().await?);
        Ok(())
    }

    async fn restore(&mut self, run: u32, config: RunConfig, events: Vec<Event>, tensors: &str) -> Result<(), Failure> {
        let mut session = self.session_for(run, config).await?;
        session.reopen(events, tensors).await?;
        self.shelf.push_back(session);
        Ok(())
    }

    async fn import(
        &mut self,
        run: u32,
        config: RunConfig,
        adapter_config: String,
        weights: &str,
    ) -> Result<(), Failure> {
        let input = |message: String| Failure { reason: FailureReason::Input, message };
        let weights = from_base64(weights).map_err(input)?;
        let files = AdapterFiles { config: adapter_config, weights };
        let (config, stored) = hf_adapter::import(&config, &files).map_err(|e| input(e.to_string()))?;
        let mut session = self.session_for(run, config).await?;
        session.restore(stored);
        session.begin().await?.iter().for_each(post);
        self.shelf.push_back(session);
        Ok(())
    }

    /// Answers with the present φ if it is of that configuration, else with the φ such a run would start from.
    async fn predict(&mut self, run: u32, config: RunConfig, text: &str) -> Result<(), Failure> {
        let item = match self.held(run) {
            Ok(session) if *session.config() == config => session.predict(text).await?,
            _ => self.session_for(run, config).await?.predict(text).await?,
        };
        post(&Event::Predicted { run, item });
        Ok(())
    }

    async fn load(&mut self, config: &RunConfig) -> Result<Rc<LoadedBase>, Failure> {
        if !self.materials.as_ref().is_some_and(|(other, materials)| materials.serve(other, config)) {
            if config.task.file().is_some() {
                self.say_loading("the examples of the task");
            }
            self.materials = Some((config.clone(), Rc::new(Materials::load(config, &self.files).await?)));
        }
        if let Some(base) = self.bases.get(config.base.id) {
            return Ok(base.clone());
        }
        self.say_loading(&format!("the base {}", config.base.id));
        let base = Rc::new(LoadedBase::load(config.base, &self.files, &self.device).await?);
        self.bases.insert(config.base.id, base.clone());
        Ok(base)
    }

    fn say_loading(&self, what: &str) {
        post(&Event::Loading { run: self.run, what: what.into(), done: 0, of: 0 });
    }
}

/// The next command, waiting for it.
async fn next_command() -> Command {
    poll_fn(|context| {
        INBOX.with_borrow_mut(|inbox| match inbox.commands.pop_front() {
            Some(command) => Poll::Ready(command),
            None => {
                inbox.waker = Some(context.waker().clone());
                Poll::Pending
            }
        })
    })
    .await
}

/// Turns of the event loop. A timer would be clamped to 4 ms, a resolved promise would not let messages in.
struct Turns {
    channel: Option<MessageChannel>,
}

impl Turns {
    fn new() -> Turns {
        Turns { channel: MessageChannel::new().ok() }
    }

    /// Ends after the messages that wait have been delivered.
    async fn next(&self) {
        let Some(channel) = &self.channel else { return };
        let promise = js_sys::Promise::new(&mut |resolve, _| channel.port1().set_onmessage(Some(&resolve)));
        // Posting null cannot fail: it needs no copy of an object.
        let _ = channel.port2().post_message(&JsValue::NULL);
        let _ = JsFuture::from(promise).await;
    }
}

/// Configurations whose runs need the same of a GPU's programs.
fn kind(config: &RunConfig) -> String {
    let methods: Vec<&str> = config.methods().map(|method| method.info().name).collect();
    format!("{} {:?} {methods:?}", config.base.id, std::mem::discriminant(&config.task))
}

/// Files by `fetch`, under the addresses the page gave.
pub struct Fetch(pub AssetUrls);

impl Files for Fetch {
    async fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let own = name.starts_with("data/own/") || name.starts_with(&format!("models/{}", OwnBase::PREFIX));
        let url = self.0.files.get(name).ok_or_else(|| match own {
            true => "What you brought is no longer on this page: bring the file again.".to_string(),
            false => format!("This site has no file {name}."),
        })?;
        let missing =
            |why: String| format!("The file {name} did not arrive ({why}). Check the connection and try again.");
        let response = JsFuture::from(scope().fetch_with_str(url)).await.map_err(|e| missing(describe(&e)))?;
        let response: Response = response.dyn_into().map_err(|e| missing(describe(&e)))?;
        if !response.ok() {
            return Err(missing(format!("the server answered {}", response.status())));
        }
        let body = response.array_buffer().map_err(|e| missing(describe(&e)))?;
        let buffer = JsFuture::from(body).await.map_err(|e| missing(describe(&e)))?;
        Ok(js_sys::Uint8Array::new(&buffer).to_vec())
    }
}

fn describe(value: &JsValue) -> String {
    value.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{value:?}"), |e| String::from(e.message()))
}

pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds since the worker started.
pub fn now() -> f64 {
    scope().performance().map_or(0.0, |p| p.now())
}

/// The browser and how many processors it tells, for the run file.
fn hardware() -> String {
    let navigator = scope().navigator();
    let agent = navigator.user_agent().unwrap_or_default();
    format!("{agent}, {} threads", navigator.hardware_concurrency())
}

fn post(event: &Event) {
    if let Ok(json) = serde_json::to_string(event) {
        // The page may be gone; there is nobody left to tell.
        let _ = scope().post_message(&JsValue::from_str(&json));
    }
}

fn post_failure(run: u32, failure: Failure) {
    post(&Event::Failed { run, reason: failure.reason, message: failure.message });
}
