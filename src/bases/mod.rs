//! The pretrained bases: those that the page ships, those that visitors bring, and their cards.

mod card;
mod checkpoint;
#[cfg(feature = "train")]
mod identity;
mod own;
mod shipped;

pub use card::{Card, Figures, Judged, Made};
pub use checkpoint::{Checkpoint, Part};
#[cfg(feature = "train")]
pub use identity::Identity;
pub use own::OwnBase;
pub use shipped::{BASES, Base};
