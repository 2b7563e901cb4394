//! The helper's end: it computes the pieces that a trainer sends.

use super::message::{Reply, Request, message, parts_of};
use crate::bases::Base;
use crate::config::RunConfig;
use crate::protocol::AssetUrls;
use crate::train::library::LoadedBase;
use crate::train::micro_batch::Helper;
use crate::train::pieces::Outcome;
use crate::train::rehearsal::rehearse;
use crate::worker::browser::scope;
use crate::worker::fetch::Fetch;
use async_channel::{Receiver, Sender, unbounded};
use burn::tensor::Device;
use std::cell::Cell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

/// A request, and the numbers beside it.
type Asked = (Request, Vec<f32>);

thread_local! {
    static REQUESTS: (Sender<Asked>, Receiver<Asked>) = unbounded();
    static SERVING: Cell<bool> = const { Cell::new(false) };
}

/// A message of the trainer that this worker helps. The boot script hands them on in order.
#[wasm_bindgen]
pub fn assist(data: JsValue) {
    let Some((text, numbers)) = parts_of(&data) else { return };
    let Ok(request) = serde_json::from_str::<Request>(&text) else { return };
    if let Request::Assets(assets) = &request {
        assets.bases.iter().for_each(|base| drop(Base::register(base)));
    }
    // Neither bounded nor ever closed.
    let _ = REQUESTS.with(|(sender, _)| sender.try_send((request, numbers)));
    if !SERVING.replace(true) {
        spawn_local(serve());
    }
}

/// Answers requests for as long as the worker lives. What cannot be answered is told as something that is no
/// answer.
async fn serve() {
    let device = Device::flex();
    let mut held = Held::default();
    let requests = REQUESTS.with(|(_, receiver)| receiver.clone());
    let mut next = requests.recv().await;
    while let Ok((request, _)) = next {
        let (config, assigned) = match request {
            Request::Load(config) => (*config, None),
            Request::Assign { number, assignment } => (assignment.config.clone(), Some((number, assignment))),
            other => {
                if let Request::Assets(assets) = other {
                    held.assets = assets;
                }
                next = requests.recv().await;
                continue;
            }
        };
        let loaded = held.load(&config, &device).await;
        let (Some(loaded), Some((number, assignment))) = (loaded, assigned) else {
            match loaded {
                Some(loaded) => {
                    post(&Reply::Loaded { base: loaded.base.id.into() }, &[]);
                    // A run that waits already is what compiles.
                    if requests.is_empty() {
                        rehearse(&config, &loaded.theta, &device);
                    }
                }
                None => give_up(),
            }
            next = requests.recv().await;
            continue;
        };
        let mut helper = Helper::new(&assignment, &loaded.theta, &device);
        post(&Reply::Ready { number }, &[]);
        next = loop {
            match requests.recv().await {
                Ok((Request::Tell(told), _)) => helper.host_values(told),
                Ok((Request::Pieces(pieces), phi)) => match helper.compute(&phi, pieces).await {
                    Ok(mut outcomes) => {
                        let mut numbers = Vec::new();
                        for (_, outcome) in &mut outcomes {
                            if let Outcome::Gradient(gradient) = outcome {
                                numbers.append(&mut gradient.of_phi);
                            }
                        }
                        post(&Reply::Done(outcomes), &numbers);
                    }
                    Err(_) => give_up(),
                },
                other => break other,
            }
        };
    }
}

/// The base that a helper holds, where its files were, and where files are now.
#[derive(Default)]
struct Held {
    base: Option<LoadedBase>,
    from: AssetUrls,
    assets: AssetUrls,
}

impl Held {
    /// The base of a configuration, in place of another; `None` where it cannot be loaded.
    async fn load(&mut self, config: &RunConfig, device: &Device) -> Option<&LoadedBase> {
        let id = config.base.id;
        let moved = self.assets.of_base(id) != self.from.of_base(id);
        let serves = |held: &LoadedBase| held.base.id == id && held.storage == config.storage();
        if moved || !self.base.as_ref().is_some_and(serves) {
            self.from = self.assets.clone();
            // Never two at once.
            drop(self.base.take());
            self.base = LoadedBase::of(config, &Fetch::new(self.assets.clone()), device).await.ok();
        }
        self.base.as_ref()
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
