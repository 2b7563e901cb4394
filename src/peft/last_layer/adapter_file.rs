//! PEFT does not have it.

use super::LastLayer;

crate::peft::adapter_file::no_adapter_file!(LastLayer);
