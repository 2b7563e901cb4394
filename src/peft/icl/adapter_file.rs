//! PEFT does not have it.

use super::Icl;

crate::peft::adapter_file::no_adapter_file!(Icl);
