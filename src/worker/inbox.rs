//! Commands of the page, as they come.

use super::post::post_failure;
use crate::base::{Failure, FailureReason};
use crate::bases::Base;
use crate::protocol::{Command, Received};
use async_channel::{Receiver, Sender, unbounded};
use wasm_bindgen::prelude::*;

thread_local! {
    static COMMANDS: (Sender<Command>, Receiver<Command>) = unbounded();
}

/// A message of the page: one [`Command`]. The boot script hands them on in order.
#[wasm_bindgen]
pub fn receive(message: JsValue) {
    match Received::new(&message).read() {
        Ok(command) => {
            // At once: what comes behind may name them.
            if let Command::Init { assets } = &command {
                assets.bases.iter().for_each(|base| drop(Base::register(base)));
            }
            // Neither bounded nor ever closed.
            COMMANDS.with(|(sender, _)| drop(sender.try_send(command)));
        }
        Err(e) => {
            let message = format!("The trainer does not understand a message of the page: {e}.");
            post_failure(0, Failure { reason: FailureReason::Input, message });
        }
    }
}

/// Where commands come out, in their order.
pub fn commands() -> Receiver<Command> {
    COMMANDS.with(|(_, receiver)| receiver.clone())
}
