//! A discrete prompt: a text in front, in words that people can read, and nothing trained.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::base::Fault;
use crate::model::{ModelConfig, Site};
use crate::peft::{Count, Knob, Method, MethodInfo, MethodKind, Range, Shape, Term, Value};

/// f_θ([prompt, x]) with the prompt a text. Where `<s>` begins every text, it stays in front.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextPrompt {
    /// In front of every text, word for word.
    pub text: String,
}

/// The most characters, which are at least as many tokens.
const MAX_CHARS: usize = 200;

static INFO: MethodInfo = MethodInfo {
    name: "text-prompt",
    title: "Text prompt",
    kind: MethodKind::Input,
    paper: "Radford et al., Language Models are Unsupervised Multitask Learners, 2019; Brown et al., Language Models are Few-Shot Learners, 2020",
    formula: "f_θ([prompt, x])",
    summary: "Puts words in front of every text and trains nothing: what a person can write, against what training finds.",
    knobs: &[Knob {
        name: "text",
        label: "Text",
        help: "What stands in front of every text; demonstrations like abcd>bcad; are texts too.",
        range: Range::Text { max_chars: MAX_CHARS },
        ..Knob::PLAIN
    }],
    in_peft: false,
    merges: Err("there is no φ: the text is read again with every input"),
    dial: Err("there is no φ to scale"),
    checked: "logits of the same tokens",
};

impl Method for TextPrompt {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        (knob == "text").then(|| Value::Text(self.text.clone()))
    }

    fn set(&mut self, _knob: &str, value: Value) {
        if let Value::Text(text) = value {
            self.text = text;
        }
    }

    fn check(&self, shape: &Shape, task_tokens: usize) -> Result<(), Fault> {
        let room = shape.model.max_position_embeddings.saturating_sub(task_tokens);
        // Without the tokenizer: a base of few tokens reads letters, others need at most a token for each byte.
        let letters = shape.model.vocab_size <= 64;
        let tokens = if letters { self.text.chars().count() } else { self.text.len() };
        if tokens > room {
            let message = format!(
                "A text of {tokens} letters may not fit: the base reads {} positions and the task needs {task_tokens}. At most {room} letters are sure to.",
                shape.model.max_position_embeddings
            );
            return Err(Fault::new("text", message));
        }
        Ok(())
    }

    fn count(&self, _shape: &Shape) -> Count {
        Count::new([Term::new("nothing is trained", "0", 0)])
    }

    fn sites(&self, _model: &ModelConfig) -> Vec<Site> {
        vec![Site::Prompt]
    }

    /// At most: a token for each byte.
    fn positions(&self) -> usize {
        self.text.len()
    }

    fn trains(&self) -> bool {
        false
    }

    fn is_made_of_task(&self) -> bool {
        true
    }

    fn note(&self, _shape: &Shape) -> Option<String> {
        Some("Nothing is trained: Train scores the base with this text in front, once.".into())
    }

    fn advice(&self, _outside: bool) -> &'static str {
        "Nothing is trained here. Try other words, or prompt tuning, which finds virtual tokens by training."
    }

    fn learning_rate(&self, _task: &str, _base: &str) -> f64 {
        // Never used.
        1e-3
    }

    fn label(&self) -> String {
        if self.text.is_empty() { "no prompt".into() } else { format!("text, {} letters", self.text.chars().count()) }
    }
}
