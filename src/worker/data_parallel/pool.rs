//! The trainer's end: workers that it starts, asks and ends.

use super::message::{Reply, Request, message, parts_of};
use crate::config::RunConfig;
use crate::protocol::AssetUrls;
use crate::train::micro_batch::{Assignment, Helpers, Outcomes, Settled, Told};
use crate::train::pieces::{Outcome, Piece};
use crate::train::step::Gradient;
use crate::worker::browser::scope;
use async_channel::{Receiver, Sender, unbounded};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

/// What is heard of a helper.
struct Heard {
    /// The base that it holds, where it was asked to load one ahead.
    base: RefCell<String>,
    /// The assignment that it has loaded.
    ready: Cell<u32>,
    /// A word for each of these; closed where it is lost.
    told: (Sender<()>, Receiver<()>),
    /// What it has computed and sent; closed where it is lost.
    done: (Sender<Done>, Receiver<Done>),
}

/// Pieces' numbers, with what became of them.
type Done = Vec<(usize, Outcome)>;

impl Heard {
    fn lose(&self) {
        self.done.0.close();
        self.told.0.close();
    }

    fn is_lost(&self) -> bool {
        self.done.0.is_closed()
    }

    fn hear(&self, data: &JsValue) {
        // A panic is told as an event, in text.
        let Some((text, numbers)) = parts_of(data) else { return self.lose() };
        match serde_json::from_str(&text) {
            Ok(Reply::Loaded { base }) => drop(self.base.replace(base)),
            Ok(Reply::Ready { number }) => {
                self.ready.set(number);
                // Who waits is told; whoever does not may find it later.
                let _ = self.told.0.try_send(());
            }
            Ok(Reply::Done(mut outcomes)) => {
                // φ is as long in each of them.
                let gradients = outcomes.iter_mut().filter_map(|(_, outcome)| match outcome {
                    Outcome::Gradient(gradient) => Some(gradient),
                    Outcome::Passed(_) => None,
                });
                let gradients: Vec<&mut Gradient> = gradients.collect();
                let size = numbers.len() / gradients.len().max(1);
                for (gradient, numbers) in gradients.into_iter().zip(numbers.chunks(size.max(1))) {
                    gradient.of_phi = numbers.to_vec();
                }
                // Where it is lost meanwhile, nobody waits for them.
                let _ = self.done.0.try_send(outcomes);
            }
            _ => self.lose(),
        }
    }
}

/// A function of ours that the browser calls with an event.
type Listener<E> = Closure<dyn FnMut(E)>;

struct Started {
    worker: Worker,
    heard: Rc<Heard>,
    _listeners: (Listener<MessageEvent>, Listener<ErrorEvent>),
}

impl Started {
    fn new() -> Option<Started> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&scope().location().href(), &options).ok()?;
        let heard =
            Rc::new(Heard { base: RefCell::default(), ready: Cell::default(), told: unbounded(), done: unbounded() });
        let on_message = Closure::new({
            let heard = heard.clone();
            move |event: MessageEvent| heard.hear(&event.data())
        });
        let on_error = Closure::new({
            let heard = heard.clone();
            move |_: ErrorEvent| heard.lose()
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Started { worker, heard, _listeners: (on_message, on_error) })
    }

    fn send(&self, request: &Request, numbers: &[f32]) {
        let sent = message(request, numbers)
            .is_some_and(|(object, transfer)| self.worker.post_message_with_transfer(&object, &transfer).is_ok());
        if !sent {
            self.heard.lose();
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

/// The workers that help this one.
#[derive(Default)]
pub struct Workers {
    started: RefCell<Vec<Started>>,
    assets: RefCell<AssetUrls>,
    number: Cell<u32>,
}

impl Workers {
    /// Where helpers find files.
    pub fn set_assets(&self, assets: AssetUrls) {
        *self.assets.borrow_mut() = assets;
    }

    /// Starts or ends workers until there are `n`. One that cannot be started is done without.
    pub fn resize(&self, n: usize) {
        let mut started = self.started.borrow_mut();
        started.retain(|helper| !helper.heard.is_lost());
        started.truncate(n);
        while started.len() < n {
            let Some(helper) = Started::new() else { return };
            started.push(helper);
        }
    }

    /// Lets them load the base of a configuration ahead of a run. None may be under way: a helper holds one base.
    pub fn load(&self, config: &RunConfig) {
        for helper in self.started.borrow().iter().filter(|helper| *helper.heard.base.borrow() != config.base.id) {
            helper.send(&Request::Assets(self.assets.borrow().clone()), &[]);
            helper.send(&Request::Load(Box::new(config.clone())), &[]);
        }
    }
}

impl Helpers for Workers {
    fn assign(&self, assignment: &Assignment) {
        self.number.set(self.number.get() + 1);
        for helper in self.started.borrow().iter() {
            let number = self.number.get();
            // A helper holds one base.
            if *helper.heard.base.borrow() != assignment.config.base.id {
                helper.heard.base.borrow_mut().clear();
            }
            // Nobody asks any more for what it owed to another run.
            while helper.heard.done.1.try_recv().is_ok() {}
            helper.send(&Request::Assets(self.assets.borrow().clone()), &[]);
            helper.send(&Request::Assign { number, assignment: Box::new(assignment.clone()) }, &[]);
        }
    }

    fn tell(&self, told: &Told) {
        self.started.borrow().iter().for_each(|helper| helper.send(&Request::Tell(told.clone()), &[]));
    }

    fn settle(&self) -> Settled<'_> {
        let started = self.started.borrow();
        let loaded = started.iter().filter(|helper| !helper.heard.base.borrow().is_empty());
        let (loaded, number): (Vec<Rc<Heard>>, u32) =
            (loaded.map(|helper| helper.heard.clone()).collect(), self.number.get());
        Box::pin(async move {
            for heard in loaded {
                while heard.ready.get() != number && heard.told.1.recv().await.is_ok() {}
            }
        })
    }

    fn ready(&self) -> Vec<usize> {
        let is_ready = |helper: &Started| !helper.heard.is_lost() && helper.heard.ready.get() == self.number.get();
        let started = self.started.borrow();
        started.iter().enumerate().filter(|(_, helper)| is_ready(helper)).map(|(i, _)| i).collect()
    }

    fn send(&self, helper: usize, phi: &[f32], pieces: Vec<(usize, Piece)>) {
        self.started.borrow()[helper].send(&Request::Pieces(pieces), phi);
    }

    fn receive(&self, helper: usize) -> Outcomes<'_> {
        let done = self.started.borrow().get(helper).map(|helper| helper.heard.done.1.clone());
        Box::pin(async move { done?.recv().await.ok() })
    }
}

/// Workers that a run should have in all: as many as were asked for, else as the processor has cores, and no
/// more than θ has room for.
pub fn wanted(config: &RunConfig) -> usize {
    /// Bytes of θ that all workers may hold together.
    const ROOM: u64 = 1 << 30;
    let cores = scope().navigator().hardware_concurrency() as usize;
    let theta = config.theta_bytes();
    let wanted = config.workers.unwrap_or_else(|| cores.clamp(1, crate::config::MOST_PARTS));
    wanted.min(crate::ledger::parts(config)).min((ROOM / theta.max(1)).max(1) as usize)
}
