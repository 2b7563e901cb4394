//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::TextPrompt;
use crate::model::{Composition, Text};
use crate::peft::InitContext;
use burn::module::Module;

/// The text's tokens: no tensor, nothing to train.
#[derive(Module, Debug)]
pub struct Phi {
    #[module(skip)]
    text: Text,
}

impl Phi {
    pub fn init(config: &TextPrompt, context: &mut InitContext<'_>) -> Phi {
        let tokens = if config.text.is_empty() { Vec::new() } else { context.tokens_of(&config.text) };
        Phi { text: Text { tokens: tokens.into_iter().map(|t| t as i32).collect(), after: context.begins } }
    }
}

impl Composition for Phi {
    fn text(&self) -> Option<&Text> {
        Some(&self.text)
    }
}
