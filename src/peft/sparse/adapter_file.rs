//! PEFT does not have it.

use super::Sparse;

crate::peft::adapter_file::no_adapter_file!(Sparse);
