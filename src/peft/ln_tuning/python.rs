//! The Python that does the same.

use super::LnTuning;
use crate::peft::{Python, Script, python, whole_tensors};

impl Python for LnTuning {
    fn python(&self, script: &Script<'_>) -> String {
        python::fill(include_str!("python.py"), &[("NORMS", format!("{:?}", script.family().norms()))])
    }

    fn python_without_peft(&self, script: &Script<'_>) -> Option<String> {
        Some(whole_tensors::python(self, script))
    }
}
