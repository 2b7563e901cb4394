//! Prompts whose answers are written freely, as a base's tokenizer reads them.

use super::form::{Form, Item};
use crate::task::tokenizer::Tokenizer;
use crate::task::{Message, Prompt};
use serde::{Deserialize, Serialize};

/// How prompts and answers become tokens, and where an answer ends.
#[derive(Clone)]
pub struct Reader {
    /// Of the base.
    pub tokenizer: Tokenizer,
    /// Words around a prompt that is a text.
    pub form: Form,
    /// The token that ends an answer.
    pub end: u32,
    /// Tokens of a prompt at most; of a longer one the last are read.
    pub longest_prompt: usize,
    /// Tokens of an answer at most, its end included; of a longer one the first are read.
    pub longest_answer: usize,
}

impl Reader {
    /// A prompt and its answer. One that is cut has no end.
    pub fn item(&self, prompt: &Prompt, answer: &str) -> Item {
        let mut label = match prompt {
            Prompt::Text(_) => self.form.answer(answer, &self.tokenizer),
            Prompt::Messages(_) => self.tokenizer.encode(answer),
        };
        label.push(self.end);
        label.truncate(self.longest_answer);
        Item { text: self.prompt(prompt), label }
    }

    /// The tokens of a prompt that are read, without the words around a text.
    pub fn prompt(&self, prompt: &Prompt) -> Vec<u32> {
        let mut tokens = match prompt {
            Prompt::Text(text) => self.form.text(text, &self.tokenizer),
            Prompt::Messages(messages) => self.tokenizer.encode(&chat(messages)),
        };
        tokens.split_off(tokens.len().saturating_sub(self.longest_prompt))
    }

    /// An answer as text, without its end.
    pub fn text(&self, tokens: &[u32]) -> String {
        let n = tokens.iter().position(|token| *token == self.end).unwrap_or(tokens.len());
        self.tokenizer.decode_on(&tokens[..n]).trim().to_string()
    }
}

/// What stands behind a prompt by arg max, each token behind the right ones before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marked {
    /// The example's place among those held out.
    pub place: usize,
    /// As many tokens as the right answer has.
    pub predicted: Vec<u32>,
    /// Whether all of them are right.
    pub is_right: bool,
}

/// Messages of a chat for a model that has no template for them: a line for each, and the beginning of the answer's.
fn chat(messages: &[Message]) -> String {
    let lines = messages.iter().map(|message| format!("{}: {}\n", message.role, message.content));
    lines.chain(["assistant:".to_string()]).collect()
}
