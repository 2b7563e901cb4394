//! The ledger: what a method costs, before anything is trained. Plain functions of shapes, without Burn.
//!
//! [`Setting`] is what is costed, [`Ledger`] what it costs. A training step is traced as shapes
//! (`network.rs`) on a [`Tape`](crate::trace::Tape). A method says in
//! [`Method::trace`](crate::peft::Method::trace) what it adds where. Numbers are single precision, four bytes
//! each.

mod cost;
mod network;
mod parts;
mod setting;
mod units;

pub use crate::model::RealModel;
pub use crate::model::families::{all as families, real_models};
pub use crate::trace::{Flops, Largest, Peak, Phase, Place, Residence};
pub use cost::{Inference, Ledger, Memory, Training};
pub use network::Batch;
pub use parts::parts;
pub use setting::{REAL_TOKENS, Setting};
pub use units::{bytes, flops};

#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;
