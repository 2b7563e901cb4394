//! PEFT does not have it.

use super::Adapter;

crate::peft::adapter_file::no_adapter_file!(Adapter);
