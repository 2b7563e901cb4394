//! The Python that does the same.

use super::AllButEmbeddings;
use crate::peft::{Python, Script, python};

impl Python for AllButEmbeddings {
    fn python(&self, script: &Script<'_>) -> String {
        python::copies(self, script)
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}
