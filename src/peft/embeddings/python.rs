//! The Python that does the same.

use super::Embeddings;
use crate::peft::{Python, Script, whole_tensors};

impl Python for Embeddings {
    fn python(&self, script: &Script<'_>) -> String {
        whole_tensors::python(self, script)
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}
