//! The trainer on the command line: the same session, flags named as in the URL, events as JSON lines.
//!
//! `commands` lists the commands and hands each to its file; `flags` reads the run that its flags describe.

mod adapter_folder;
mod adapters;
mod commands;
mod cost;
mod count;
mod disk;
mod evaluate;
mod flags;
mod listings;
mod measure;
mod method_page;
mod output;
mod sentence;
mod session;
mod taken;
mod train;
mod unfinished;
mod user_data;
mod write;

pub use commands::main;
pub use disk::Disk;
