//! θ: a pretrained OPT model, loaded once, shared by every run, never written.

mod bases;
mod card;
#[cfg(feature = "train")]
mod checkpoint;
mod config;
#[cfg(feature = "train")]
mod gpt2;
#[cfg(feature = "train")]
pub mod kernels;
#[cfg(feature = "train")]
pub mod layers;
#[cfg(feature = "train")]
mod random;
#[cfg(feature = "train")]
mod theta;

pub use bases::{BASES, Base, OwnBase};
pub use card::{Card, Figures, Judged};
#[cfg(feature = "train")]
pub use checkpoint::CheckpointError;
#[cfg(feature = "train")]
pub(crate) use checkpoint::floats;
pub use config::{Activation, ModelConfig, ModelConfigError};
#[cfg(feature = "train")]
pub use theta::{Block, Model, Tokens, Weights};
