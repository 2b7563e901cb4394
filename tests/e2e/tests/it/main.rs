//! End to end on the built page. One program: its tests share browsers.

mod bring;
mod faults;
mod keep;
mod learn;
mod page;
mod runs;
mod webgpu;
