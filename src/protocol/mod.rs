//! What page and trainer say to each other: commands go to the trainer, events come back. Both are JSON;
//! bytes of files travel beside it.

mod bytes;
mod command;
mod event;
#[cfg(target_arch = "wasm32")]
mod post;
mod scores;
mod writing;

pub use bytes::Bytes;
pub use command::{AssetUrls, Command};
pub use event::Event;
#[cfg(target_arch = "wasm32")]
pub use post::{Posted, Received};
pub use scores::{Answer, CutText, KeptScore, PartScore, Prediction, SpreadKind};
pub use writing::{Around, Ended, NextToken, Voice, Writing};
