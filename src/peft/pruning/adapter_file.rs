//! PEFT does not have it.

use super::Pruning;

crate::peft::adapter_file::no_adapter_file!(Pruning);
