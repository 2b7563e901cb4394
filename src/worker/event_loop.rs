//! The trainer's loop: one step between two turns of the worker's event loop.

use super::backend::Backend;
use super::browser::Turns;
use super::inbox::commands;
use super::post::{post, post_failure};
use super::trainer::Trainer;
use crate::base::FailureReason;
use crate::protocol::{Command, Event};
use std::cell::Cell;
use wasm_bindgen_futures::spawn_local;

thread_local! {
    static BACKEND: Cell<Backend> = const { Cell::new(Backend::Cpu) };
}

/// What this worker was started for.
pub fn backend() -> Backend {
    BACKEND.get()
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
    spawn_local(run(backend));
}

async fn run(backend: Backend) {
    let commands = commands();
    let assets = loop {
        match commands.recv().await {
            Ok(Command::Init { assets }) => break assets,
            Ok(_) => {}
            Err(_) => return,
        }
    };
    let device = match backend.device().await {
        Ok(device) => device,
        Err(failure) => return post_failure(0, failure),
    };
    post(&Event::Ready { device: backend.name().into() });
    let mut trainer = Trainer::new(backend, device, assets);
    let turns = Turns::new();
    loop {
        // Without work it waits; with work it looks whether something has come.
        let command = if trainer.has_work() { commands.try_recv().ok() } else { commands.recv().await.ok() };
        match command {
            Some(command) => trainer.handle(command).await,
            None => {
                trainer.work().await;
                turns.next().await;
            }
        }
    }
}
