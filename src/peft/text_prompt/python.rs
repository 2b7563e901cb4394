//! The Python that does the same.

use super::TextPrompt;
use crate::peft::{Python, Script, python};

impl Python for TextPrompt {
    fn python(&self, _script: &Script<'_>) -> String {
        python::fill(include_str!("python.py"), &[("WORDS", format!("{:?}", self.text))]) + python::TOKENS_IN_FRONT
    }

    fn python_without_peft(&self, _script: &Script<'_>) -> Option<String> {
        None
    }
}
