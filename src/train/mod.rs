//! The trainer: it knows no browser. A [`Session`] takes a [`step`] after the other and reports
//! [`Event`](crate::protocol::Event)s.

mod choice;
pub mod data;
pub mod evaluate;
mod forgetting;
pub mod library;
pub mod micro_batch;
pub mod optimizer;
pub mod pass;
pub mod pieces;
mod preparation;
pub mod probe;
pub mod rehearsal;
mod room;
mod session;
pub mod spread;
pub mod step;
pub mod writer;
pub mod writing;

pub use session::{Session, WARM_UPS};
