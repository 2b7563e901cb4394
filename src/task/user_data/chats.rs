//! Chats: JSON rows that hold messages, as chat models are trained on.

use super::answers::AnsweredSplit;
use super::error::UserDataError;
use super::labelled::LeftOut;
use super::limits::MIN_ROWS;
use crate::task::{Message, Pair, Prompt};
use serde_json::Value;
use std::collections::HashSet;

/// Keys under which a row holds its messages: OpenAI's and Hugging Face's, ShareGPT's.
const KEYS: [&str; 2] = ["messages", "conversations"];

/// What was read of chats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chats {
    /// Every answer of an assistant with the messages before it.
    pub pairs: Vec<Pair>,
    /// Rows.
    pub rows: usize,
    /// Answers that stand there twice, or are empty.
    pub left_out: LeftOut,
}

impl Chats {
    /// Whether a text is rows of JSON of which the first holds messages.
    pub fn look_like(text: &str) -> bool {
        let begin: String =
            text.trim_start_matches(['[', '\n', ' ', '\r', '\t', '\u{feff}']).chars().take(4000).collect();
        // Only the beginning is looked at: a row may be long.
        let key = KEYS.iter().any(|key| begin.contains(&format!("\"{key}\"")));
        key && begin.starts_with('{') && (begin.contains("\"role\"") || begin.contains("\"from\""))
    }

    /// Reads rows of JSON lines, or of one list.
    ///
    /// # Errors
    /// The line of a row that is no JSON, or holds no messages with a role and a text; too few answers.
    pub fn read(text: &str) -> Result<Chats, UserDataError> {
        let mut chats = Chats::default();
        let mut seen = HashSet::new();
        let begins = text.trim_start();
        if begins.starts_with('[') {
            let Ok(rows) = serde_json::from_str::<Vec<Value>>(begins) else {
                return Err(UserDataError::Chat { line: 1, problem: "the list is no JSON" });
            };
            for row in &rows {
                chats.add(row, chats.rows + 1, &mut seen)?;
            }
        } else {
            for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let Ok(row) = serde_json::from_str::<Value>(line) else {
                    return Err(UserDataError::Chat { line: i + 1, problem: "the row is no JSON" });
                };
                chats.add(&row, i + 1, &mut seen)?;
            }
        }
        match chats.pairs.len() {
            usable if usable < MIN_ROWS => Err(UserDataError::TooFewRows { usable, rows: chats.rows }),
            _ => Ok(chats),
        }
    }

    fn add(&mut self, row: &Value, line: usize, seen: &mut HashSet<Prompt>) -> Result<(), UserDataError> {
        let fault = |problem| UserDataError::Chat { line, problem };
        let messages = KEYS
            .iter()
            .find_map(|key| row.get(key)?.as_array())
            .ok_or_else(|| fault("there is no list of messages"))?;
        let read: Option<Vec<Message>> = messages.iter().map(message).collect();
        let read = read.ok_or_else(|| fault("a message has no role, or no text"))?;
        self.rows += 1;
        for (i, message) in read.iter().enumerate().filter(|(i, message)| *i > 0 && message.role == "assistant") {
            let prompt = Prompt::Messages(read[..i].to_vec());
            match message.content.trim() {
                "" => self.left_out.without_label += 1,
                answer if seen.insert(prompt.clone()) => self.pairs.push(Pair { prompt, answer: answer.into() }),
                _ => self.left_out.repeated += 1,
            }
        }
        Ok(())
    }

    /// Training and held-out answers, in an order drawn by the seed.
    pub fn split(&self, seed: u64) -> AnsweredSplit {
        AnsweredSplit::of(self.pairs.clone(), self.left_out, seed)
    }
}

/// `{"role": …, "content": …}`, or ShareGPT's `{"from": …, "value": …}`.
fn message(value: &Value) -> Option<Message> {
    let text = |keys: [&str; 2]| keys.into_iter().find_map(|key| value.get(key)?.as_str());
    let role = match text(["role", "from"])? {
        "human" => "user",
        "gpt" | "model" | "bot" => "assistant",
        role => role,
    };
    Some(Message { role: role.into(), content: text(["content", "value"])?.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_of_an_assistant_is_learnt_behind_what_was_said_before() {
        let row = |i: usize| {
            format!(
                r#"{{"messages": [{{"role": "system", "content": "Be short."}}, {{"role": "user", "content": "Count {i}"}},
                {{"role": "assistant", "content": "{i}."}}, {{"role": "user", "content": "On"}}, {{"role": "assistant", "content": "{i}, {i}"}}]}}"#
            )
            .replace('\n', " ")
        };
        let lines: String = (0..4).map(|i| row(i) + "\n").collect();
        assert!(Chats::look_like(&lines));
        let chats = Chats::read(&lines).unwrap();
        assert_eq!((chats.rows, chats.pairs.len()), (4, 8));
        assert_eq!((chats.pairs[1].prompt.shown(), chats.pairs[1].answer.as_str()), ("On", "0, 0"));
        let list = format!("[{}]", (0..4).map(row).collect::<Vec<_>>().join(",\n"));
        assert!(Chats::look_like(&list));
        assert_eq!(Chats::read(&list).unwrap(), chats);
        let split = chats.split(0);
        assert_eq!((split.training.len(), split.held_out.len()), (6, 2));
    }

    #[test]
    fn share_gpt_s_names_are_read_and_repeated_chats_are_told() {
        let row = r#"{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}"#;
        let other = |i: usize| row.replace("Hi", &format!("Hi {i}"));
        let lines = format!("{row}\n{row}\n{}\n{}\n{}\n", other(1), other(2), other(3));
        let chats = Chats::read(&lines).unwrap();
        assert_eq!((chats.pairs.len(), chats.left_out.repeated), (4, 1));
        assert!(matches!(&chats.pairs[0].prompt, Prompt::Messages(m) if m[0].role == "user"));
    }

    #[test]
    fn a_broken_row_is_told_with_its_line() {
        let row = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#;
        for (broken, told) in [
            ("{\"messages\": [", "Line 2: the row is no JSON"),
            ("{\"text\": 1}", "Line 2: there is no list of messages"),
            ("{\"messages\": [{\"role\": \"user\"}]}", "Line 2: a message has no role, or no text"),
        ] {
            let fault = Chats::read(&format!("{row}\n{broken}\n")).unwrap_err().to_string();
            assert!(fault.starts_with(told), "{fault}");
        }
        assert!(matches!(Chats::read(row), Err(UserDataError::TooFewRows { usable: 1, rows: 1 })));
        for other in ["text,label\n", "{\"text\": \"messages\"}", "[1, 2]", "\"messages\" \"role\""] {
            assert!(!Chats::look_like(other), "{other}");
        }
    }
}
