//! What a visitor types, as a question of the task.

use super::task_data::{Answers, TaskData};
use crate::base::Fault;
use crate::protocol::CutText;
use crate::task::tokenizer::Tokenizer;
use crate::task::{TaskConfig, rules};

/// A question of the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// The text as it was understood.
    pub text: String,
    /// Its tokens before the answer.
    pub prompt: Vec<u32>,
    /// The right answer, where it is known.
    pub right: Option<String>,
    /// How much of the text is read; `None` where all of it is.
    pub cut: Option<CutText>,
}

impl TaskData {
    /// What a visitor typed.
    ///
    /// # Errors
    /// Where the text is empty, or no string of the task.
    pub fn typed(&self, text: &str, tokenizer: &Tokenizer) -> Result<Typed, Fault> {
        let string = || rules::parse_string(text);
        let letters = |s: rules::Letters, right: String| Typed {
            text: rules::text(&s),
            prompt: self.form.prompt(&s.map(u32::from)),
            right: Some(right),
            cut: None,
        };
        match &self.config {
            TaskConfig::Rules { rule, .. } => {
                let s = string()?;
                Ok(letters(s, rules::text(&rule.apply(s))))
            }
            TaskConfig::Questions { question, .. } => {
                let s = string()?;
                Ok(letters(s, self.names[usize::from(question.answer(s))].clone()))
            }
            _ => {
                let written = self.is_written();
                let empty = match () {
                    () if written => "Type how a text begins.",
                    () if self.is_answered() => "Type a prompt.",
                    () => "Type a sentence.",
                };
                let text = one_line(text, empty)?;
                let tokens = match &self.answers {
                    Answers::Free(free) if free.reader.is_chat => free.reader.said(&text)?,
                    _ => self.form.text(&text, tokenizer),
                };
                let read = &tokens[tokens.len().saturating_sub(self.longest_text)..];
                let cut = CutText { tokens: tokens.len(), read: read.len() };
                let prompt = if written { read.to_vec() } else { self.form.prompt(read) };
                Ok(Typed { text, prompt, right: None, cut: Some(cut).filter(|cut| cut.read < cut.tokens) })
            }
        }
    }
}

fn one_line(text: &str, empty: &str) -> Result<String, Fault> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { Err(Fault::new("text", empty)) } else { Ok(line) }
}
