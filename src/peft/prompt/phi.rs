//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::{Prompt, PromptInit};
use crate::model::Composition;
use crate::peft::InitContext;
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use rand::RngExt;

/// Virtual tokens `[n, d]`.
#[derive(Module, Debug)]
pub struct Phi {
    tokens: Param<Tensor<2>>,
}

/// The token embeddings of the shipped bases spread by about this much.
const RANDOM_STD: f32 = 0.1;

impl Phi {
    pub fn init(config: &Prompt, context: &mut InitContext<'_>) -> Phi {
        let n = config.num_virtual_tokens;
        let (vocab, d) = (context.theta.config.vocab_size, context.theta.config.hidden_size);
        let tokens = match config.init {
            PromptInit::Random => context.normal([n, d], RANDOM_STD),
            PromptInit::Vocab => {
                let ids: Vec<u32> = (0..n).map(|_| context.rng.random_range(0..vocab as u32)).collect();
                context.token_rows(&ids)
            }
            PromptInit::Text => {
                let text = context.tokens_of(&config.init_text);
                // A text without tokens cannot be repeated; `check` refuses empty ones, token 0 stands in for the rest.
                let text = if text.is_empty() { vec![0] } else { text };
                let ids: Vec<u32> = text.iter().copied().cycle().take(n).collect();
                context.token_rows(&ids)
            }
        };
        Phi { tokens }
    }
}

impl Composition for Phi {
    fn prompt(&self) -> Option<Tensor<2>> {
        Some(self.tokens.val())
    }
}
