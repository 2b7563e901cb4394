//! PEFT does not have it.

use super::AllButEmbeddings;

crate::peft::adapter_file::no_adapter_file!(AllButEmbeddings);
