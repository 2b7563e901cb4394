//! End to end on the built page. One program: its tests share browsers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]

mod answers;
mod bring;
mod families;
mod faults;
mod fetched;
mod free_text;
mod hub;
mod keep;
mod learn;
mod lost;
mod own;
mod page;
mod real;
mod runs;
mod webgpu;
