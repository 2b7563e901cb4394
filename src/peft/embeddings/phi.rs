//! φ of this method: its tensors, their start, and where they step into the forward pass.

pub use crate::peft::copies::Copies as Phi;
