//! Workers that help the trainer: each is a worker of the same script, started by the trainer itself, with θ of its own. What travels is φ one
//! way and its gradient the other, as numbers in a buffer that changes hands, and a line of JSON beside them.

use super::runtime::{Fetch, scope};
use crate::bases::Base;
use crate::config::RunConfig;
use crate::protocol::AssetUrls;
use crate::train::library::LoadedBase;
use crate::train::micro_batch::{Assignment, Gradient, Gradients, Helper, Helpers, Part, Told};
use burn::tensor::Device;
use js_sys::{Array, Float32Array, Object, Reflect};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

/// To a helper. Of `Parts` the numbers are φ's.
#[derive(Serialize, Deserialize)]
enum Request {
    Assign { number: u32, assignment: Box<Assignment>, assets: AssetUrls },
    Tell(Told),
    Parts(Vec<(usize, Part)>),
}

/// From a helper. Of `Done` the numbers are the gradients', one part's after the other.
#[derive(Serialize, Deserialize)]
enum Reply {
    Ready { number: u32 },
    Done(Vec<(usize, f32)>),
}

fn message(value: &impl Serialize, numbers: &[f32]) -> Option<(Object, Array)> {
    let object = Object::new();
    let buffer = Float32Array::from(numbers);
    let text = serde_json::to_string(value).ok()?;
    Reflect::set(&object, &"text".into(), &text.into()).ok()?;
    Reflect::set(&object, &"numbers".into(), &buffer).ok()?;
    Some((object, Array::of1(&buffer.buffer())))
}

/// The JSON and the numbers of a message.
fn parts_of(message: &JsValue) -> Option<(String, Vec<f32>)> {
    let text = Reflect::get(message, &"text".into()).ok()?.as_string()?;
    let numbers: Float32Array = Reflect::get(message, &"numbers".into()).ok()?.dyn_into().ok()?;
    Some((text, numbers.to_vec()))
}

/// What is heard of a helper.
#[derive(Default)]
struct Heard {
    /// The assignment that it has loaded.
    ready: Cell<u32>,
    done: RefCell<VecDeque<Vec<(usize, Gradient)>>>,
    lost: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Heard {
    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn lose(&self) {
        self.lost.set(true);
        self.wake();
    }

    fn hear(&self, data: &JsValue) {
        // A panic is told as an event, in text.
        let Some((text, numbers)) = parts_of(data) else { return self.lose() };
        match serde_json::from_str(&text) {
            Ok(Reply::Ready { number }) => self.ready.set(number),
            Ok(Reply::Done(losses)) if !losses.is_empty() => {
                let size = numbers.len() / losses.len();
                let gradients = losses.into_iter().enumerate().map(|(i, (place, loss))| {
                    (place, Gradient { loss, of_phi: numbers[i * size..(i + 1) * size].to_vec() })
                });
                self.done.borrow_mut().push_back(gradients.collect());
                self.wake();
            }
            _ => self.lose(),
        }
    }
}

struct Started {
    worker: Worker,
    heard: Rc<Heard>,
    _listeners: (Closure<dyn FnMut(MessageEvent)>, Closure<dyn FnMut(ErrorEvent)>),
}

impl Started {
    fn new() -> Option<Started> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&scope().location().href(), &options).ok()?;
        let heard = Rc::new(Heard::default());
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
    pub fn set_assets(&self, assets: AssetUrls) {
        *self.assets.borrow_mut() = assets;
    }

    /// Starts or ends workers until there are `n`. One that cannot be started is done without.
    pub fn resize(&self, n: usize) {
        let mut started = self.started.borrow_mut();
        started.retain(|helper| !helper.heard.lost.get());
        started.truncate(n);
        while started.len() < n {
            let Some(helper) = Started::new() else { return };
            started.push(helper);
        }
    }
}

impl Helpers for Workers {
    fn assign(&self, assignment: &Assignment) {
        self.number.set(self.number.get() + 1);
        for helper in self.started.borrow().iter() {
            let (number, assets) = (self.number.get(), self.assets.borrow().clone());
            helper.heard.done.borrow_mut().clear();
            helper.send(&Request::Assign { number, assignment: Box::new(assignment.clone()), assets }, &[]);
        }
    }

    fn tell(&self, told: &Told) {
        self.started.borrow().iter().for_each(|helper| helper.send(&Request::Tell(told.clone()), &[]));
    }

    fn ready(&self) -> Vec<usize> {
        let is_ready = |helper: &Started| !helper.heard.lost.get() && helper.heard.ready.get() == self.number.get();
        let started = self.started.borrow();
        started.iter().enumerate().filter(|(_, helper)| is_ready(helper)).map(|(i, _)| i).collect()
    }

    fn send(&self, helper: usize, phi: &[f32], parts: Vec<(usize, Part)>) {
        self.started.borrow()[helper].send(&Request::Parts(parts), phi);
    }

    fn receive(&self, helper: usize) -> Gradients<'_> {
        let heard = self.started.borrow().get(helper).map(|helper| helper.heard.clone());
        Box::pin(async move {
            let heard = heard?;
            poll_fn(|context| {
                if let Some(done) = heard.done.borrow_mut().pop_front() {
                    return Poll::Ready(Some(done));
                }
                if heard.lost.get() {
                    return Poll::Ready(None);
                }
                *heard.waker.borrow_mut() = Some(context.waker().clone());
                Poll::Pending
            })
            .await
        })
    }
}

/// Workers that a run should have in all: as many as were asked for, else as the processor has cores, and no more than θ has room for.
pub fn wanted(config: &RunConfig) -> usize {
    /// Bytes of θ that all workers may hold together.
    const ROOM: usize = 1 << 30;
    let cores = scope().navigator().hardware_concurrency() as usize;
    let theta = 4 * config.shape().model.parameters();
    let wanted = config.workers.unwrap_or_else(|| cores.clamp(1, crate::config::MOST_PARTS));
    wanted.min(crate::ledger::parts(config)).min((ROOM / theta.max(1)).max(1))
}

thread_local! {
    static REQUESTS: RefCell<(VecDeque<(Request, Vec<f32>)>, Option<Waker>)> = RefCell::default();
    static SERVING: Cell<bool> = const { Cell::new(false) };
}

/// A message of the trainer that this worker helps. The boot script hands them on in order.
#[wasm_bindgen]
pub fn assist(data: JsValue) {
    let Some((text, numbers)) = parts_of(&data) else { return };
    let Ok(request) = serde_json::from_str::<Request>(&text) else { return };
    REQUESTS.with_borrow_mut(|(requests, waker)| {
        requests.push_back((request, numbers));
        if let Some(waker) = waker.take() {
            waker.wake();
        }
    });
    if !SERVING.replace(true) {
        spawn_local(serve());
    }
}

async fn next_request() -> (Request, Vec<f32>) {
    poll_fn(|context| {
        REQUESTS.with_borrow_mut(|(requests, waker)| match requests.pop_front() {
            Some(request) => Poll::Ready(request),
            None => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
        })
    })
    .await
}

/// Answers requests for as long as the worker lives. What cannot be answered is told as something that is no answer.
async fn serve() {
    let device = Device::flex();
    let mut loaded: Option<LoadedBase> = None;
    let mut next = next_request().await;
    loop {
        let (Request::Assign { number, assignment, assets }, _) = next else {
            next = next_request().await;
            continue;
        };
        assets.bases.iter().for_each(|base| drop(Base::register(base)));
        let base = assignment.config.base;
        if loaded.as_ref().is_none_or(|loaded| loaded.base.id != base.id) {
            loaded = LoadedBase::load(base, &Fetch(assets), &device).await.ok();
        }
        let Some(loaded) = &loaded else {
            give_up();
            next = next_request().await;
            continue;
        };
        let mut helper = Helper::new(&assignment, &loaded.theta, &device);
        post(&Reply::Ready { number }, &[]);
        next = loop {
            match next_request().await {
                (Request::Tell(told), _) => helper.host_values(told),
                (Request::Parts(parts), phi) => match helper.gradients(&phi, parts).await {
                    Ok(gradients) => {
                        let losses = gradients.iter().map(|(place, gradient)| (*place, gradient.loss)).collect();
                        let numbers: Vec<f32> = gradients.into_iter().flat_map(|(_, g)| g.of_phi).collect();
                        post(&Reply::Done(losses), &numbers);
                    }
                    Err(_) => give_up(),
                },
                other => break other,
            }
        };
    }
}

fn post(reply: &Reply, numbers: &[f32]) {
    if let Some((object, transfer)) = message(reply, numbers) {
        // The trainer may be gone; there is nobody left to tell.
        let _ = scope().post_message_with_transfer(&object, &transfer);
    }
}

fn give_up() {
    let _ = scope().post_message(&JsValue::NULL);
}
