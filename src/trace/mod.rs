//! A training step as shapes alone, which the ledger counts with. No tensor is made.
//!
//! A [`Tape`] records operations in the order of the forward pass. From the record follow the floating-point
//! operations of both passes ([`Flops`]) and the most memory at any moment ([`Peak`]). Methods put their own
//! operations on it in `Method::trace`.

mod flops;
mod ops;
mod peak;
mod tape;

pub use flops::{Flops, OPTIMIZER_FLOPS};
pub use ops::{Attention, Keeps, UNPACKED};
pub use peak::{Largest, Peak, Phase, Residence};
pub use tape::{NUMBER, Place, Tape, Var};
