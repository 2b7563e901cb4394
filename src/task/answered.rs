//! Prompts with answers that are written freely: a visitor's two columns, or messages of a chat.

use crate::base::read_json;
use serde::{Deserialize, Serialize};

/// The file of prompts and answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// What is trained on.
    pub training: Vec<Pair>,
    /// What the base is judged by.
    pub held_out: Vec<Pair>,
    /// Where they are from, and their licence.
    #[serde(default)]
    pub source: String,
}

/// A prompt and the right answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// What stands in front of the answer.
    pub prompt: Prompt,
    /// What is learnt.
    pub answer: String,
}

/// What stands in front of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Prompt {
    /// A text, which a template's words stand around.
    Text(String),
    /// Messages, which the model's own chat template puts together.
    Messages(Vec<Message>),
}

/// A message of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant`.
    pub role: String,
    /// Its text.
    pub content: String,
}

impl Answered {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// A phrase, where it cannot be read or one of its parts is empty.
    pub fn from_json(text: &str) -> Result<Answered, String> {
        let read: Answered = read_json(text).map_err(|e| format!("it is not readable: {e}"))?;
        if read.training.is_empty() || read.held_out.is_empty() {
            return Err("it has no prompts to train on, or none that are held out".into());
        }
        Ok(read)
    }

    /// Tokens of a prompt and of an answer at most, its end included, on a base that reads so many positions. Of a longer
    /// prompt the last are read, of a longer answer the first.
    pub fn room(context: usize) -> (usize, usize) {
        ((context * 7 / 16).clamp(1, 256), (context * 3 / 8).clamp(1, 128))
    }

    /// Whether its prompts are messages of chats.
    pub fn is_chat(&self) -> bool {
        self.training.iter().chain(&self.held_out).any(|pair| matches!(pair.prompt, Prompt::Messages(_)))
    }
}

impl Prompt {
    /// As the page shows it: the text, or the last message.
    pub fn shown(&self) -> &str {
        match self {
            Prompt::Text(text) => text,
            Prompt::Messages(messages) => messages.last().map_or("", |message| &message.content),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_texts_or_messages() {
        let json = r#"{"training": [{"prompt": "2 + 2", "answer": "4"}],
            "held_out": [{"prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "Hi"}], "answer": "Hello"}]}"#;
        let read = Answered::from_json(json).unwrap();
        assert_eq!((read.training[0].prompt.shown(), read.held_out[0].prompt.shown()), ("2 + 2", "Hi"));
        assert!(read.is_chat());
        assert!(Answered::from_json(r#"{"training": [], "held_out": []}"#).is_err());
    }
}
