//! PEFT does not have it.

use super::Full;

crate::peft::adapter_file::no_adapter_file!(Full);
