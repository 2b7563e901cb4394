//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::Icl;
use crate::model::{Composition, Text};
use crate::peft::InitContext;
use burn::module::Module;

/// The demonstrations' tokens: no tensor, nothing to train.
#[derive(Module, Debug)]
pub struct Phi {
    #[module(skip)]
    text: Text,
}

impl Phi {
    pub fn init(_config: &Icl, context: &mut InitContext<'_>) -> Phi {
        let tokens = context.demonstrations.iter().map(|t| *t as i32).collect();
        Phi { text: Text { tokens, after: context.begins } }
    }
}

impl Composition for Phi {
    fn text(&self) -> Option<&Text> {
        Some(&self.text)
    }
}
