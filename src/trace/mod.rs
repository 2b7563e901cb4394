//! A training step as shapes alone, which the ledger counts with. No tensor is made.

mod tape;

pub use tape::{Attention, Flops, Keeps, NUMBER, OPTIMIZER_FLOPS, Peak, Phase, Residence, Tape, Var};
