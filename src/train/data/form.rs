//! How a text and its label become tokens: the one form of every task, of demonstrations and of a visitor's
//! template.

use crate::base::Fault;
use crate::peft::Template;
use crate::task::Example;
use crate::task::tokenizer::Tokenizer;

/// How text and label stand in a sequence: `begin`, `before`, text, `between`, label; behind a demonstration
/// `after`.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub begin: Vec<u32>,
    pub before: Vec<u32>,
    pub between: Vec<u32>,
    pub after: Vec<u32>,
}

/// A text and its answer, as tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub text: Vec<u32>,
    pub label: Vec<u32>,
}

impl Form {
    /// The whole: text and answer behind each other.
    pub fn example(&self, item: &Item) -> Example {
        let parts = [&self.begin, &self.before, &item.text, &self.between, &item.label];
        Example { tokens: parts.into_iter().flatten().copied().collect(), answer: item.label.len() }
    }

    /// A text up to where its answer begins.
    pub fn prompt(&self, text: &[u32]) -> Vec<u32> {
        let parts = [&self.begin[..], &self.before, text, &self.between];
        parts.into_iter().flatten().copied().collect()
    }

    /// An example as one of several in front of a question.
    pub fn demonstration(&self, item: &Item) -> Vec<u32> {
        let parts = [&self.before, &item.text, &self.between, &item.label, &self.after];
        parts.into_iter().flatten().copied().collect()
    }
}

/// The task's own form, or that of a template in the visitor's words.
pub fn form(own: Form, template: Option<&Template>, tokenizer: &Tokenizer) -> Result<Form, Fault> {
    let Some(template) = template else { return Ok(own) };
    let encode = |text: &str| if text.is_empty() { Vec::new() } else { tokenizer.encode(text) };
    Ok(Form {
        begin: own.begin,
        before: encode(&template.before),
        between: encode(&template.between),
        after: encode(&template.after),
    })
}
