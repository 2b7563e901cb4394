//! Text to tokens and back: reads the two kinds of Hugging Face `tokenizer.json` that the bases have.
//!
//! - BPE on bytes, as GPT-2 has it (`prose-nano`, `prose-micro`): [`byte_level`] cuts a text into pieces,
//!   [`bpe`] merges each.
//!   It may also stand in `vocab.json` and `merges.txt` ([`vocabulary`]).
//! - One token per character (`rules`): `WordLevel` after a `Split` at `.`.
//!
//! Ids equal those of Hugging Face's `tokenizers` (`tests/fixtures/tokenizer.json`). Any other kind is
//! refused by name. What a file says of truncation and padding is left aside: a task cuts its examples and a
//! batch pads them.

mod bpe;
mod byte_level;
mod codec;
mod error;
mod file;
mod letters;
mod vocabulary;

pub use byte_level::{byte_characters, pieces};
pub use codec::Tokenizer;
pub use error::TokenizerError;
