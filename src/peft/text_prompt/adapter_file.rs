//! PEFT does not have it.

use super::TextPrompt;

crate::peft::adapter_file::no_adapter_file!(TextPrompt);
