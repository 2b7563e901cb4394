//! The Python that does the same.

use super::Embeddings;
use crate::peft::{Python, Script, python};

impl Python for Embeddings {
    fn python(&self, script: &Script<'_>) -> String {
        python::copies(self, script)
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}
