//! The helper's end: gradients of the parts that a trainer sends.

use super::message::{Reply, Request, message, parts_of};
use crate::bases::Base;
use crate::protocol::AssetUrls;
use crate::train::library::LoadedBase;
use crate::train::micro_batch::Helper;
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
    let mut loaded: Option<LoadedBase> = None;
    let mut known = AssetUrls::default();
    let requests = REQUESTS.with(|(_, receiver)| receiver.clone());
    let mut next = requests.recv().await;
    while let Ok((request, _)) = next {
        let Request::Assign { number, assignment, assets } = request else {
            next = requests.recv().await;
            continue;
        };
        assets.bases.iter().for_each(|base| drop(Base::register(base)));
        let config = &assignment.config;
        let base = config.base;
        let moved = assets.of_base(base.id) != known.of_base(base.id);
        let serves = |loaded: &LoadedBase| loaded.base.id == base.id && loaded.storage == config.storage();
        if moved || !loaded.as_ref().is_some_and(serves) {
            known = assets.clone();
            // Never two at once.
            drop(loaded.take());
            loaded = LoadedBase::of(config, &Fetch::new(assets), &device).await.ok();
        }
        let Some(loaded) = &loaded else {
            give_up();
            next = requests.recv().await;
            continue;
        };
        let mut helper = Helper::new(&assignment, &loaded.theta, &device);
        post(&Reply::Ready { number }, &[]);
        next = loop {
            match requests.recv().await {
                Ok((Request::Tell(told), _)) => helper.host_values(told),
                Ok((Request::Parts(parts), phi)) => match helper.gradients(&phi, parts).await {
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
