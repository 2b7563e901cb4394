//! PEFT Lab: fine-tunes a small pretrained transformer with every parameter-efficient method, natively and in the browser.
//!
//! One idea carries the code: θ ([`model`]) is frozen, φ ([`peft`]) is trained. A map in the order data flows:
//!
//! - [`config`]: what a run is (base, task, method and its knobs, optimizer, seed); one grammar for URL, flags and JSON.
//! - [`model`]: θ, an OPT model in Hugging Face's format.
//! - [`peft`]: φ, one file per method, each with a plain half (knobs, formula, exact count) and a trained half.
//! - [`task`]: tokenizer, examples, batches; `rules` and `authors`.
//! - [`train`]: the session (step, evaluate, predict), the optimizer, and the events it reports.
//! - [`worker`]: messages between page and trainer, and the trainer's loop in a Web Worker.
//! - [`sweep`]: grids of runs, for figures.
//! - `pretrain`: makes the shipped bases from recipes.
//! - [`bench`]: what a step costs at two fixed shapes.
//! - [`interchange`]: recorded runs.
//! - `ui`: the page (feature `page`, no tensor in it). `cli`: the same trainer on the command line.

#[cfg(feature = "train")]
pub mod bench;
pub mod config;
pub mod interchange;
pub mod ledger;
pub mod memory;
pub mod model;
pub mod peft;
pub mod sweep;
pub mod task;
pub mod train;
pub mod worker;

#[cfg(all(feature = "train", not(target_arch = "wasm32")))]
pub mod cli;
#[cfg(all(feature = "train", not(target_arch = "wasm32")))]
pub mod pretrain;
#[cfg(feature = "page")]
pub mod ui;
