//! The Python that does the same.

use super::Subspace;
use crate::peft::{Python, Script, python};

impl Python for Subspace {
    fn python(&self, _script: &Script<'_>) -> String {
        python::fill(include_str!("python.py"), &[("DIMENSION", self.intrinsic_dimension.to_string())])
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}
