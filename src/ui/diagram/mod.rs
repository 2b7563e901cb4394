//! The network as the configuration has it: frozen parts grey, trained parts in φ's colour, each with its shape and count.
//! The layout is plain data that compiles and is tested anywhere: what is drawn as trained is counted against the method.

pub mod block;
pub mod drawing;
pub mod embeddings;
pub mod formula;
pub mod motion;
pub mod norm;
pub mod phi_overlay;
pub mod shapes;
#[cfg(target_arch = "wasm32")]
mod view;

#[cfg(target_arch = "wasm32")]
pub use view::{Diagram, DiagramProps};
