//! PEFT Lab: fine-tunes a small pretrained transformer with every parameter-efficient method, natively and in the browser.
//!
//! One idea carries the code: θ ([`model`]) is frozen, φ ([`peft`]) is trained. The folders form a list; each imports only from
//! those above its own, which a test guards:
//!
//! - [`base`]: failures, faults, random streams, time, memory.
//! - [`trace`]: a training step as shapes, which the ledger counts with.
//! - `kernels`: fused operations for the CPU and WebGPU, each checked against its plain form.
//! - [`model`]: θ, its families and files, the forward pass, and the questions that it asks of a method.
//! - [`bases`]: the pretrained bases that are shipped or brought.
//! - [`peft`]: φ, a folder a method, each with a plain half (knobs, formula, exact count) and a trained half.
//! - [`task`]: tokenizer, examples, labels; what a visitor brings.
//! - [`config`]: what a run is (base, task, method and its knobs, optimizer, seed); one grammar for URL, flags and JSON.
//! - [`protocol`]: commands to the trainer and events from it.
//! - [`ledger`]: what a method costs, before it is trained.
//! - [`interchange`]: run files, φ, adapters of Hugging Face PEFT, Python.
//! - `train`: the session (step, evaluate, predict) and the optimizer.
//! - [`experiments`]: grids of runs, the benchmark, and the making of the shipped bases.
//! - `cli`, `worker`, `ui`: three shells around the same session. The page (feature `page`) has no tensor in it.

pub mod base;
pub mod bases;
pub mod config;
pub mod experiments;
pub mod interchange;
#[cfg(feature = "train")]
pub mod kernels;
pub mod ledger;
pub mod model;
pub mod peft;
pub mod protocol;
pub mod task;
pub mod trace;
#[cfg(feature = "train")]
pub mod train;

#[cfg(all(feature = "train", not(target_arch = "wasm32")))]
pub mod cli;
#[cfg(feature = "page")]
pub mod ui;
#[cfg(all(feature = "train", target_arch = "wasm32"))]
pub mod worker;
