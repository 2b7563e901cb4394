//! Text to tokens and back: reads Hugging Face's `tokenizer.json` as the bases and the families have it.
//!
//! - BPE on bytes: a text is normalized ([`normal`]), cut into pieces ([`cut`]), and each is merged ([`bpe`]).
//!   GPT-2's may also stand in `vocab.json` and `merges.txt` ([`vocabulary`]).
//! - BPE on characters, with bytes for those that it lacks, as SentencePiece has it.
//! - One token per character (`rules`): `WordLevel` after a `Split` at `.`.
//!
//! Added tokens are found before all that ([`added`]). Ids equal those of Hugging Face's `tokenizers`
//! (`tests/fixtures/tokenizer.json`, `tests/fixtures/tokenizers`). Any other kind is refused by name
//! ([`forms`]). What a file says of truncation and padding is left aside: a task cuts its examples and a batch
//! pads them.

mod added;
mod bpe;
mod byte_level;
mod classes;
mod codec;
mod cut;
mod error;
mod file;
mod forms;
mod gguf;
mod normal;
mod vocabulary;

pub use crate::model::files::ChatTemplate;
pub use byte_level::{byte_characters, pieces};
pub use codec::Tokenizer;
pub use error::TokenizerError;

#[cfg(test)]
mod tests;
