//! PEFT does not have it.

use super::Layers;

crate::peft::adapter_file::no_adapter_file!(Layers);
