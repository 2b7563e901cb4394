//! PEFT does not have it.

use super::BitFit;

crate::peft::adapter_file::no_adapter_file!(BitFit);
