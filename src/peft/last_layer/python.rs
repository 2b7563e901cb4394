//! The Python that does the same.

use super::{LastLayer, Rows};
use crate::peft::{Python, Script, python, whole_tensors};

impl Python for LastLayer {
    fn python(&self, script: &Script<'_>) -> String {
        let rows = match self.rows {
            Rows::All => "slice(None)",
            Rows::Labels => "LABELS",
            Rows::Block => return whole_tensors::python(self, script),
        };
        python::fill(include_str!("python.py"), &[("ROWS", rows.into())])
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}
