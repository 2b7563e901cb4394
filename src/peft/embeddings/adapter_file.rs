//! PEFT does not have it.

use super::Embeddings;

crate::peft::adapter_file::no_adapter_file!(Embeddings);
