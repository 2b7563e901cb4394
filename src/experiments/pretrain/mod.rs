//! Makes the shipped bases from nothing: `peft-lab pretrain recipes/rules.json --out www/models/rules`.
//!
//! A [`Recipe`] names shape, data and schedule. Training steps a φ that is a copy of every tensor, so model,
//! gradients and optimizer are those of full fine-tuning. Every so many steps the base is judged on what it
//! never trains on and a checkpoint is written. From it an interrupted run resumes to the same numbers. At
//! the end there are Hugging Face's three files and a model card.

mod bpe;
mod card;
mod checkpoint;
mod episodes;
mod init;
mod optimizer;
mod prose;
mod recipe;
mod run;
mod source;
mod word_level;

pub use prose::{Block, Corpus};
pub use recipe::{Data, Recipe};
pub use run::pretrain;
