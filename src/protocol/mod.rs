//! What page and trainer say to each other: commands go to the trainer, events come back. Both are JSON.

mod command;
mod event;

pub use command::{AssetUrls, Command};
pub use event::{Answer, Event, KeptScore, Prediction, SpreadKind};
