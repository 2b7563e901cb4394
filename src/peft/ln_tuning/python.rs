//! The Python that does the same.

use super::LnTuning;
use crate::peft::{Python, Script, whole_tensors};

impl Python for LnTuning {
    fn python(&self, _script: &Script<'_>) -> String {
        include_str!("python.py").into()
    }

    fn python_without_peft(&self, script: &Script<'_>) -> Option<String> {
        Some(whole_tensors::python(self, script))
    }
}
