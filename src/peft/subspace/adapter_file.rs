//! PEFT does not have it.

use super::Subspace;

crate::peft::adapter_file::no_adapter_file!(Subspace);
