//! The network as the configuration has it: frozen parts grey, trained parts in φ's colour, each with its shape and count.

pub mod formula;
#[cfg(target_arch = "wasm32")]
mod view;

#[cfg(target_arch = "wasm32")]
pub use view::{Diagram, DiagramProps};
