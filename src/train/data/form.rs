//! How a text and its label become tokens: the one form of every task, of demonstrations and of a visitor's
//! template.

use crate::task::tokenizer::Tokenizer;
use crate::task::{Example, Template};

/// How text and label stand in a sequence: `begin`, `before`, text, `between`, label; behind a demonstration
/// `after`.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub begin: Vec<u32>,
    pub before: Vec<u32>,
    pub between: Vec<u32>,
    pub after: Vec<u32>,
    /// What stands in front of a text, as it is written: where that ends in a blank, the blank is the text's.
    front: (String, &'static str),
    /// The same in front of a label.
    lead: (String, &'static str),
}

/// A text and its answer, as tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub text: Vec<u32>,
    pub label: Vec<u32>,
}

impl Form {
    /// Stands for a text where only its first or last letter matters.
    pub const LETTER: &'static str = "x";

    /// A task's own form, of tokens. Texts are read as they are.
    pub fn plain(begin: Vec<u32>, between: u32, after: u32) -> Form {
        Form { begin, between: vec![between], after: vec![after], ..Form::default() }
    }

    /// Nothing around what a chat template has put together.
    pub fn of_chat(begin: Vec<u32>, after: &[u32]) -> Form {
        Form { begin, after: after.to_vec(), ..Form::default() }
    }

    /// A template's words around strings, each read by itself.
    pub fn of_strings(own: Form, template: Option<&Template>, tokenizer: &Tokenizer) -> Form {
        let Some(template) = template else { return own };
        let [before, between, after] =
            [&template.before, &template.between, &template.after].map(|part| tokenizer.encode(part));
        Form { before, between, after, ..own }
    }

    /// A template's words, and the tokens of what stands for each label. They are those of the whole string, as GPT-2
    /// and its like read one: what is in front of a blank is read before, and the blank with what follows.
    pub fn of_template(
        begin: Vec<u32>,
        template: &Template,
        words: &[String],
        tokenizer: &Tokenizer,
    ) -> (Form, Vec<Vec<u32>>) {
        let ((front, blank), (between, lead)) = (cut_blank(&template.before), cut_blank(&template.between));
        let before = joint(tokenizer, "", front, &format!("{blank}{}", Form::LETTER)).0;
        let joints = words.iter().map(|word| joint(tokenizer, Form::LETTER, between, &format!("{lead}{word}")));
        let (heads, mut labels): (Vec<Vec<u32>>, Vec<Vec<u32>>) = joints.unzip();
        let mut heads = heads.into_iter();
        let mut head = heads.next().unwrap_or_default();
        if heads.any(|other| other != head) {
            head = behind(tokenizer, Form::LETTER, between);
            labels = words.iter().map(|word| behind(tokenizer, between, &format!("{lead}{word}"))).collect();
        }
        let next = if front.is_empty() { Form::LETTER } else { front };
        let after = joint(tokenizer, Form::LETTER, &template.after, next).0;
        let form =
            Form { begin, before, between: head, after, front: (front.into(), blank), lead: (between.into(), lead) };
        (form, labels)
    }

    /// Tokens of a text where it stands.
    pub fn text(&self, text: &str, tokenizer: &Tokenizer) -> Vec<u32> {
        let (front, blank) = &self.front;
        if front.is_empty() && blank.is_empty() {
            return tokenizer.encode(text);
        }
        let text = format!("{blank}{text}");
        let (before, tokens) = joint(tokenizer, "", front, &text);
        if before == self.before { tokens } else { tokenizer.encode(&text) }
    }

    /// Tokens of an answer where it stands.
    pub fn answer(&self, text: &str, tokenizer: &Tokenizer) -> Vec<u32> {
        let (between, lead) = &self.lead;
        let text = format!("{lead}{text}");
        if between.is_empty() {
            return tokenizer.encode(&text);
        }
        let (head, tokens) = joint(tokenizer, Form::LETTER, between, &text);
        if head == self.between { tokens } else { behind(tokenizer, between, &text) }
    }

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
        // The end of a free answer is the first of what stands behind it.
        let ends = item.label.len() > 1 && item.label.last() == self.after.first();
        let after = &self.after[usize::from(ends)..];
        let parts = [&self.before[..], &item.text, &self.between, &item.label, after];
        parts.into_iter().flatten().copied().collect()
    }

    /// Tokens around a text.
    pub fn around(&self) -> usize {
        self.begin.len() + self.before.len() + self.between.len()
    }
}

/// A text without the blank that ends it, and that blank.
fn cut_blank(text: &str) -> (&str, &'static str) {
    text.strip_suffix(' ').map_or((text, ""), |rest| (rest, " "))
}

/// Tokens of a text behind another: SentencePiece's tokenizers put a mark in front of a whole text alone.
fn behind(tokenizer: &Tokenizer, front: &str, text: &str) -> Vec<u32> {
    if front.is_empty() || text.is_empty() {
        return if text.is_empty() { Vec::new() } else { tokenizer.encode(text) };
    }
    let mut whole = tokenizer.encode(&format!("{front}{text}"));
    let head = tokenizer.encode(front);
    if whole.starts_with(&head) { whole.split_off(head.len()) } else { tokenizer.encode(text) }
}

/// Tokens of two texts behind each other, where they meet between two tokens; else each by itself.
fn joint(tokenizer: &Tokenizer, front: &str, left: &str, right: &str) -> (Vec<u32>, Vec<u32>) {
    if left.is_empty() {
        return (Vec::new(), behind(tokenizer, front, right));
    }
    let mut whole = behind(tokenizer, front, &format!("{left}{right}"));
    let head = behind(tokenizer, front, left);
    if whole.starts_with(&head) {
        let tail = whole.split_off(head.len());
        return (whole, tail);
    }
    // GPT-2 reads two line breaks in front of a word as two tokens, at an end as one.
    let tail = behind(tokenizer, "\n", right);
    match whole.len().checked_sub(tail.len()).filter(|_| whole.ends_with(&tail)) {
        Some(n) => {
            whole.truncate(n);
            (whole, tail)
        }
        None => (head, tail),
    }
}
