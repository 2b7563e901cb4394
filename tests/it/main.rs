//! Native integration tests. One program: Burn is linked once, and tests of all files share the threads.
//!
//! What sets a global allocator stands apart: `ledger.rs`, `long.rs`. What runs elsewhere, too: `browser.rs`, `browser_webgpu.rs`
//! and `webgpu.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]
#![cfg(not(target_arch = "wasm32"))]

mod adapters;
mod bases;
#[path = "../shared/cache.rs"]
mod cache;
mod cached;
mod checkpoints;
mod command_line;
mod contract;
mod counts;
mod every_family;
mod families;
mod family_page;
mod fixtures;
mod gguf;
mod gguf_tokenizer;
mod gradients;
mod interchange;
mod json_faults;
mod language_model;
mod large_base;
mod merging;
mod own;
mod packed_theta;
mod parity;
mod peft;
mod performance;
mod pretrain;
#[path = "../shared/published.rs"]
mod published;
mod python;
mod python_answers;
mod real;
mod recorded;
mod results;
// The programs beside this one check the same things in a browser.
#[path = "../shared/mod.rs"]
mod shared;
mod tables;
mod training;
mod unfinished;
mod words;
