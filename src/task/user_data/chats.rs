//! Chats: JSON rows that hold messages, as chat models are trained on.

use super::answers::AnsweredSplit;
use super::error::UserDataError;
use super::labelled::{LeftOut, shuffle};
use super::limits::{MAX_HELD_OUT, MIN_ROWS};
use crate::task::{Message, Pair, Prompt};
use serde_json::Value;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Keys under which a row holds its messages: OpenAI's and Hugging Face's, ShareGPT's.
const KEYS: [&str; 2] = ["messages", "conversations"];

/// Letters of messages in front of an answer that are kept: far more than any base reads of them.
const KEPT: usize = 8_000;

/// What was read of chats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chats {
    /// Of each row every answer of an assistant, with the messages before it.
    pub rows: Vec<Vec<Pair>>,
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
                chats.add(row, chats.rows.len() + 1, &mut seen)?;
            }
        } else {
            for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let Ok(row) = serde_json::from_str::<Value>(line) else {
                    return Err(UserDataError::Chat { line: i + 1, problem: "the row is no JSON" });
                };
                chats.add(&row, i + 1, &mut seen)?;
            }
        }
        match chats.rows.iter().filter(|row| !row.is_empty()).count() {
            usable if usable < MIN_ROWS => Err(UserDataError::TooFewRows { usable, rows: chats.rows.len() }),
            _ => Ok(chats),
        }
    }

    fn add(&mut self, row: &Value, line: usize, seen: &mut HashSet<u64>) -> Result<(), UserDataError> {
        let fault = |problem| UserDataError::Chat { line, problem };
        let messages = KEYS.iter().find_map(|key| row.get(key)?.as_array());
        let messages = messages.ok_or_else(|| fault("there is no list of messages"))?;
        let read: Option<Vec<Message>> = messages.iter().map(message).collect();
        let read = read.ok_or_else(|| fault("a message has no role, or no text"))?;
        let mut pairs = Vec::new();
        for (i, message) in read.iter().enumerate().filter(|(i, message)| *i > 0 && message.role == "assistant") {
            let prompt = Prompt::Messages(last(&read[..i]));
            match message.content.trim() {
                "" => self.left_out.without_label += 1,
                answer if seen.insert(told_by(&prompt)) => pairs.push(Pair { prompt, answer: answer.into() }),
                _ => self.left_out.repeated += 1,
            }
        }
        self.rows.push(pairs);
        Ok(())
    }

    /// Training and held-out answers, in an order drawn by the seed. All answers of a row are in one part: the next
    /// prompt of a chat holds the answers before it.
    pub fn split(&self, seed: u64) -> AnsweredSplit {
        let mut rows: Vec<&Vec<Pair>> = self.rows.iter().filter(|row| !row.is_empty()).collect();
        shuffle(&mut rows, seed);
        let held_out = ((rows.len() + 2) / 5).clamp(1, MAX_HELD_OUT).min(rows.len());
        let pairs = |rows: &[&Vec<Pair>]| rows.iter().flat_map(|row| row.iter().cloned()).collect();
        AnsweredSplit {
            training: pairs(&rows[held_out..]),
            held_out: pairs(&rows[..held_out]),
            left_out: self.left_out,
        }
    }
}

/// The last messages that are kept, behind what a system says first: a long chat holds itself once for each answer.
fn last(messages: &[Message]) -> Vec<Message> {
    let mut letters = 0;
    let fits = |message: &&Message| {
        letters += message.content.len();
        letters <= KEPT
    };
    let kept = messages.iter().rev().take_while(fits).count().max(1);
    let from = messages.len() - kept;
    let system = messages.first().filter(|first| from > 0 && first.role == "system" && first.content.len() <= KEPT);
    system.into_iter().chain(&messages[from..]).cloned().collect()
}

/// What tells a prompt from others.
fn told_by(prompt: &Prompt) -> u64 {
    let mut hasher = DefaultHasher::new();
    prompt.hash(&mut hasher);
    hasher.finish()
}

/// `{"role": …, "content": …}`, where the content may come in parts; or ShareGPT's `{"from": …, "value": …}`.
fn message(value: &Value) -> Option<Message> {
    let found = |keys: [&str; 2]| keys.into_iter().find_map(|key| value.get(key));
    let content = match found(["content", "value"])? {
        Value::String(text) => text.clone(),
        // A call of a tool says nothing.
        Value::Null => String::new(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
        }
        _ => return None,
    };
    let role = match found(["role", "from"])?.as_str()? {
        "human" => "user",
        "gpt" | "model" | "bot" => "assistant",
        role => role,
    };
    Some(Message { role: role.into(), content })
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
        assert_eq!((chats.rows.len(), chats.rows[0].len()), (4, 2));
        assert_eq!((chats.rows[0][1].prompt.shown(), chats.rows[0][1].answer.as_str()), ("On", "0, 0"));
        let list = format!("[{}]", (0..4).map(row).collect::<Vec<_>>().join(",\n"));
        assert!(Chats::look_like(&list));
        assert_eq!(Chats::read(&list).unwrap(), chats);
        let split = chats.split(0);
        assert_eq!((split.training.len(), split.held_out.len()), (6, 2));
        // A chat is in one part as a whole.
        assert!(split.held_out[0].prompt.shown().starts_with("Count") && split.held_out[1].prompt.shown() == "On");
    }

    #[test]
    fn a_long_chat_keeps_its_end_and_what_the_system_says() {
        let said = |role: &str, i: usize| format!(r#"{{"role": "{role}", "content": "{i} {}"}}"#, "word ".repeat(200));
        let turns: Vec<String> = (0..400).map(|i| said(["user", "assistant"][i % 2], i)).collect();
        let row = format!(r#"{{"messages": [{{"role": "system", "content": "Be short."}}, {}]}}"#, turns.join(", "));
        let other = |i: usize| format!(r#"{{"messages": [{}, {}]}}"#, said("user", 1000 + i), said("assistant", i));
        let chats = Chats::read(&format!("{row}\n{}\n{}\n{}\n", other(1), other(2), other(3))).unwrap();
        let letters = |pair: &Pair| match &pair.prompt {
            Prompt::Messages(messages) => messages.iter().map(|m| m.content.len()).sum::<usize>(),
            Prompt::Text(_) => 0,
        };
        assert_eq!(chats.rows[0].len(), 200);
        assert!(chats.rows[0].iter().all(|pair| letters(pair) <= KEPT + 9));
        let Prompt::Messages(last) = &chats.rows[0][199].prompt else { panic!() };
        assert!(last[0].role == "system" && last[1].role == "user" || last[1].role == "assistant");
        assert!(last.last().unwrap().content.starts_with("398 "));
    }

    #[test]
    fn share_gpt_s_names_are_read_and_repeated_chats_are_told() {
        let row = r#"{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}"#;
        let other = |i: usize| row.replace("Hi", &format!("Hi {i}"));
        let lines = format!("{row}\n{row}\n{}\n{}\n{}\n", other(1), other(2), other(3));
        let chats = Chats::read(&lines).unwrap();
        assert_eq!((chats.rows.iter().flatten().count(), chats.left_out.repeated), (4, 1));
        assert!(matches!(&chats.rows[0][0].prompt, Prompt::Messages(m) if m[0].role == "user"));
        // A call of a tool says nothing; a content may come in parts.
        let row = r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi N"}]}, {"role": "assistant", "content": null},
            {"role": "assistant", "content": "Yes"}]}"#.replace('\n', " ");
        let lines: String = (0..4).map(|i| row.replace('N', &i.to_string()) + "\n").collect();
        let chats = Chats::read(&lines).unwrap();
        assert_eq!((chats.rows[3].len(), chats.left_out.without_label), (1, 4));
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
