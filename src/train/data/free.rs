//! Prompts whose answers are written freely, as a base's tokenizer reads them.

use super::chat::rendered;
use super::form::{Form, Item};
use crate::base::Fault;
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
    /// Whether prompts are messages of a chat.
    pub is_chat: bool,
    /// Whether a line break ends an answer, which then is one line.
    pub ends_by_line: bool,
    /// Tokens of a prompt at most; of a longer one the last are read.
    pub longest_prompt: usize,
    /// Tokens of an answer at most, its end included; of a longer one the first are read.
    pub longest_answer: usize,
}

impl Reader {
    /// A prompt and its answer. One that is cut has no end.
    ///
    /// # Errors
    /// Where the model's chat template refuses the messages.
    pub fn item(&self, prompt: &Prompt, answer: &str) -> Result<Item, Fault> {
        let messages = match prompt {
            Prompt::Text(text) => return Ok(self.text_item(text, answer)),
            Prompt::Messages(messages) => messages,
        };
        let mut label = match self.ends_by_line {
            true => self.tokenizer.encode(&answer.split_whitespace().collect::<Vec<_>>().join(" ")),
            false => self.tokenizer.encode(answer),
        };
        label.push(self.end);
        label.truncate(self.longest_answer);
        Ok(Item { text: self.last(self.messages(messages)?), label })
    }

    /// The same of a prompt that is a text.
    pub fn text_item(&self, text: &str, answer: &str) -> Item {
        let tokens = self.form.text(text, &self.tokenizer);
        let mut label = self.form.answer(answer, &self.tokenizer);
        label.push(self.end);
        label.truncate(self.longest_answer);
        Item { text: self.last(tokens), label }
    }

    fn last(&self, mut tokens: Vec<u32>) -> Vec<u32> {
        tokens.split_off(tokens.len().saturating_sub(self.longest_prompt))
    }

    /// The tokens of what somebody says in a chat, all of them.
    ///
    /// # Errors
    /// Where the model's chat template refuses it.
    pub fn said(&self, text: &str) -> Result<Vec<u32>, Fault> {
        said(&self.tokenizer, &self.form.begin, text)
    }

    fn messages(&self, messages: &[Message]) -> Result<Vec<u32>, Fault> {
        tokens(&self.tokenizer, &self.form.begin, messages)
    }

    /// An answer as text, without its end.
    pub fn text(&self, tokens: &[u32]) -> String {
        let n = tokens.iter().position(|token| *token == self.end).unwrap_or(tokens.len());
        self.tokenizer.decode_on(&tokens[..n]).trim().to_string()
    }
}

/// The tokens of what a user says and of what begins the answer, but for those that begin every text.
///
/// # Errors
/// Where the model's chat template refuses it.
pub fn said(tokenizer: &Tokenizer, begin: &[u32], text: &str) -> Result<Vec<u32>, Fault> {
    tokens(tokenizer, begin, &[Message { role: "user".into(), content: text.into() }])
}

/// Tokens of messages. What begins every text stands in front of them already, though a template may write it.
fn tokens(tokenizer: &Tokenizer, begin: &[u32], messages: &[Message]) -> Result<Vec<u32>, Fault> {
    let mut tokens = tokenizer.encode(&chat(tokenizer, messages)?);
    if tokens.starts_with(begin) {
        tokens.drain(..begin.len());
    }
    match tokens.is_empty() {
        true => Err(Fault::new("data", "The model's chat template makes nothing of these messages.")),
        false => Ok(tokens),
    }
}

/// Messages of a chat as one text: by the model's own template, else a line for each and the beginning of the answer's.
fn chat(tokenizer: &Tokenizer, messages: &[Message]) -> Result<String, Fault> {
    if let Some(chat) = tokenizer.chat() {
        return rendered(chat, messages, true).map_err(|why| Fault::new("data", why));
    }
    let lines = messages.iter().map(|message| format!("{}: {}\n", message.role, message.content));
    Ok(lines.chain(["assistant: ".to_string()]).collect())
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
