//! The pretrained bases: those that the page ships, those that visitors bring, and their cards.

mod card;
mod shipped;

pub use card::{Card, Figures, Judged};
pub use shipped::{BASES, Base, OwnBase};
