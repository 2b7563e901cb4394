//! The page's end of a worker: commands go out, events come in and are handed on in bundles.

use super::dom;
use super::state::{Action, Trainer};
use crate::base::FailureReason;
use crate::protocol::{AssetUrls, Bytes, Command, Event, Posted, Received};
use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::Callback;

/// At most this often (milliseconds) does the page draw what a trainer reports: a run may report 60 steps a second, and
/// drawing belongs to the thread that also answers the visitor.
const BUNDLE_MS: f64 = 100.0;

/// A worker, ended when this is dropped.
pub struct Client {
    worker: Worker,
    /// The run it was last asked for.
    run: Rc<Cell<u32>>,
    _listeners: [EventListener; 2],
}

impl Client {
    /// Starts a worker from its script and tells it where files are.
    ///
    /// # Errors
    /// What the browser says where it starts none.
    pub fn start(trainer: Trainer, script: &str, assets: AssetUrls, on: Callback<Action>) -> Result<Client, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(script, &options).map_err(describe)?;
        let run = Rc::new(Cell::new(0));
        let inbox = Rc::new(Inbox {
            trainer,
            on: on.clone(),
            events: RefCell::default(),
            timer: RefCell::default(),
            last: Cell::new(0.0),
        });

        let messages = EventListener::new(&worker, "message", {
            let inbox = inbox.clone();
            move |event| {
                let Some(message) = event.dyn_ref::<MessageEvent>() else { return };
                let received = Received::new(&message.data());
                match received.read::<Event>() {
                    Ok(event) => {
                        let name = event.bytes().map(|(name, _)| name);
                        dom::announce(&received.text, name.zip(received.buffer));
                        Inbox::receive(&inbox, event);
                    }
                    Err(error) => {
                        let text = received.text;
                        dom::announce(&text, None);
                        gloo::console::warn!(format!("not an event of the trainer: {error}: {text}"));
                    }
                }
            }
        });
        let errors = EventListener::new(&worker, "error", {
            let run = run.clone();
            move |event| {
                // A script that does not load gives an event without a message.
                let message =
                    event.dyn_ref::<ErrorEvent>().map_or_else(|| "its script did not arrive".into(), |e| e.message());
                dom::announce_event(&Event::Failed {
                    run: run.get(),
                    reason: FailureReason::Crash,
                    message: message.clone(),
                });
                inbox.flush();
                on.emit(Action::WorkerDied(trainer, message));
            }
        });
        let client = Client { worker, run, _listeners: [messages, errors] };
        client.send(&Command::Init { assets });
        Ok(client)
    }

    /// Posts a command; the bytes of a file go along in a buffer of their own.
    pub fn send(&self, command: &Command) {
        if let Command::Start { run, .. } = command {
            self.run.set(*run);
        }
        match Posted::new(command) {
            Ok(Posted { value, transfer }) => {
                if let Err(error) = self.worker.post_message_with_transfer(&value, &transfer) {
                    gloo::console::error!("a command did not reach the trainer:", error);
                }
            }
            Err(error) => gloo::console::error!(format!("a command cannot be written: {error}")),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

/// Events that wait for the next drawing.
struct Inbox {
    trainer: Trainer,
    on: Callback<Action>,
    events: RefCell<Vec<Event>>,
    timer: RefCell<Option<Timeout>>,
    /// When the last bundle went out.
    last: Cell<f64>,
}

impl Inbox {
    fn receive(inbox: &Rc<Inbox>, event: Event) {
        inbox.events.borrow_mut().push(event);
        if inbox.timer.borrow().is_none() {
            let wait = (inbox.last.get() + BUNDLE_MS - dom::now()).clamp(0.0, BUNDLE_MS);
            let flushed = inbox.clone();
            *inbox.timer.borrow_mut() = Some(Timeout::new(wait as u32, move || flushed.flush()));
        }
    }

    fn flush(&self) {
        // Forgotten rather than cancelled: this may run inside the timer's own callback.
        if let Some(timer) = self.timer.borrow_mut().take() {
            let _ = timer.forget();
        }
        let events = self.events.take();
        if !events.is_empty() {
            self.last.set(dom::now());
            self.on.emit(Action::Heard(self.trainer, events, dom::now()));
        }
    }
}

fn describe(error: JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |e| String::from(e.message()))
}
