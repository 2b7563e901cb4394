//! What a visitor types, as a question of the task.

use super::task_data::TaskData;
use crate::base::Fault;
use crate::task::tokenizer::Tokenizer;
use crate::task::{TaskConfig, rules};

impl TaskData {
    /// What a visitor typed: the text as it was understood, its tokens before the answer, and the right
    /// answer where it is known.
    ///
    /// # Errors
    /// Where the text is empty, or no string of the task.
    pub fn typed(&self, text: &str, tokenizer: &Tokenizer) -> Result<(String, Vec<u32>, Option<String>), Fault> {
        let string = || rules::parse_string(text);
        let letters = |s: rules::Letters| self.form.prompt(&s.map(u32::from));
        match &self.config {
            TaskConfig::Rules { rule, .. } => {
                let s = string()?;
                Ok((rules::text(&s), letters(s), Some(rules::text(&rule.apply(s)))))
            }
            TaskConfig::Questions { question, .. } => {
                let s = string()?;
                let right = self.names[usize::from(question.answer(s))].clone();
                Ok((rules::text(&s), letters(s), Some(right)))
            }
            TaskConfig::Text { .. } | TaskConfig::UserData { .. } if !self.is_written() => {
                let typed = one_line(text, "Type a sentence.")?;
                let tokens = tokenizer.encode(&typed);
                Ok((typed, self.form.prompt(&tokens[tokens.len().saturating_sub(self.longest_text)..]), None))
            }
            _ => {
                let typed = one_line(text, "Type how a text begins.")?;
                let tokens = tokenizer.encode(&typed);
                Ok((typed, tokens[tokens.len().saturating_sub(self.longest_text)..].to_vec(), None))
            }
        }
    }
}

fn one_line(text: &str, empty: &str) -> Result<String, Fault> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { Err(Fault::new("text", empty)) } else { Ok(line) }
}
