//! A sentence to a line of JSON: who, what and when stand in it. Sentences are drawn on the fly from templates and lists
//! (`words.json`); some of both are held out.

use crate::base::{Fault, read_json, shorten, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;

/// Templates and lists, in the form that a printed script draws from as well.
pub const WORDS: &str = include_str!("words.json");
/// Held-out sentences: half of them in templates that were trained on, half in new ones.
pub const HELD_OUT: usize = 300;
/// Tokens of a sentence at most, as the smallest vocabulary here reads one.
pub const MAX_TEXT: usize = 56;
/// Tokens of an answer at most, its end included.
pub const MAX_ANSWER: usize = 64;
/// Of numbers in a range, every so many-th is held out.
const EVERY: u32 = 5;
const NEW: u32 = 2;

/// What a sentence is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// Any of the three.
    #[default]
    All,
    /// Name, age, job and city.
    Person,
    /// Item, count, customer and price.
    Order,
    /// Topic, day, hour and host.
    Meeting,
}

impl Subject {
    const EACH: [Subject; 4] = [Subject::All, Subject::Person, Subject::Order, Subject::Meeting];
    /// Names in URL and flags, and what the page calls them.
    pub const OPTIONS: [(&'static str, &'static str); 4] =
        [("all", "people, orders, meetings"), ("person", "people"), ("order", "orders"), ("meeting", "meetings")];

    /// Name in URL and flags.
    pub fn name(self) -> &'static str {
        Self::OPTIONS[self as usize].0
    }

    /// What the page calls it.
    pub fn title(self) -> &'static str {
        Self::OPTIONS[self as usize].1
    }

    /// The subject of a name.
    pub fn parse(text: &str) -> Result<Subject, Fault> {
        Self::EACH.into_iter().find(|subject| subject.name() == text.trim()).ok_or_else(|| {
            let names = Self::OPTIONS.map(|(name, _)| name).join(", ");
            Fault::new("subject", format!("There is no subject “{}”: {names}.", shorten(text)))
        })
    }

    fn kinds(self) -> &'static [Kind] {
        let all = kinds();
        match self {
            Subject::All => all,
            one => &all[one as usize - 1..one as usize],
        }
    }
}

/// A sentence and its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extracted {
    /// The sentence.
    pub text: String,
    /// One line of JSON.
    pub answer: String,
    /// Whether its template was never trained on; its values then are new as well.
    pub is_new_wording: bool,
}

/// Sentences of one kind.
struct Kind {
    /// In the order of the answer.
    fields: Vec<(String, Values)>,
    training: Vec<String>,
    new: Vec<String>,
}

/// The values of a field.
enum Values {
    Words {
        training: Vec<String>,
        new: Vec<String>,
    },
    /// Both ends included.
    Numbers {
        from: u32,
        to: u32,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindInFile {
    fields: BTreeMap<String, ValuesInFile>,
    training: Vec<String>,
    new: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ValuesInFile {
    Words { training: Vec<String>, new: Vec<String> },
    Numbers { from: u32, to: u32 },
}

/// Names of a kind's fields, in the order of its answer.
const FIELDS: [(&str, [&str; 4]); 3] = [
    ("person", ["name", "age", "job", "city"]),
    ("order", ["item", "count", "customer", "price"]),
    ("meeting", ["topic", "day", "hour", "host"]),
];

fn kinds() -> &'static [Kind] {
    static KINDS: OnceLock<Vec<Kind>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let mut file: BTreeMap<String, KindInFile> = read_json(WORDS).unwrap_or_default();
        let kind = |(name, fields): (&str, [&str; 4])| {
            let mut kind = file.remove(name)?;
            let field = |field: &str| {
                let values = match kind.fields.remove(field)? {
                    ValuesInFile::Words { training, new } => Values::Words { training, new },
                    ValuesInFile::Numbers { from, to } => Values::Numbers { from, to },
                };
                Some((field.to_string(), values))
            };
            let fields: Vec<(String, Values)> = fields.into_iter().filter_map(field).collect();
            Some(Kind { fields, training: kind.training, new: kind.new })
        };
        FIELDS.into_iter().filter_map(kind).collect()
    })
}

impl Values {
    /// A value as JSON, and as it stands in a sentence.
    fn draw(&self, is_new: bool, rng: &mut ChaCha8Rng) -> (String, String) {
        match self {
            Values::Words { training, new } => {
                let word = one_of(if is_new { new } else { training }, rng);
                (format!("\"{word}\""), word.clone())
            }
            Values::Numbers { from, to } => loop {
                let number = rng.random_range(*from..*to + 1);
                if (number % EVERY == NEW) == is_new {
                    return (number.to_string(), number.to_string());
                }
            },
        }
    }
}

fn one_of<'a, T>(items: &'a [T], rng: &mut ChaCha8Rng) -> &'a T {
    &items[rng.random_range(0..items.len() as u32) as usize]
}

/// A sentence, with values or a template that are held out, or of those to train on.
fn draw(subject: Subject, new_values: bool, new_wording: bool, rng: &mut ChaCha8Rng) -> Extracted {
    let kind = one_of(subject.kinds(), rng);
    let mut text = one_of(if new_wording { &kind.new } else { &kind.training }, rng).clone();
    let mut answer = String::new();
    for (name, values) in &kind.fields {
        let (json, word) = values.draw(new_values, rng);
        text = text.replace(&format!("{{{name}}}"), &word);
        answer += &format!("{}\"{name}\": {json}", if answer.is_empty() { "{" } else { ", " });
    }
    answer.push('}');
    Extracted { text, answer, is_new_wording: new_wording }
}

/// A sentence to train on.
pub fn training(subject: Subject, rng: &mut ChaCha8Rng) -> Extracted {
    draw(subject, false, false, rng)
}

/// The held-out sentences, all of new values; every other one in a new template. No two are the same.
pub fn held_out(subject: Subject) -> Vec<Extracted> {
    let mut rng = stream(0, "held-out sentences");
    let mut seen = HashSet::new();
    let mut drawn = Vec::with_capacity(HELD_OUT);
    while drawn.len() < HELD_OUT {
        let sentence = draw(subject, true, drawn.len() % 2 == 1, &mut rng);
        if seen.insert(sentence.text.clone()) {
            drawn.push(sentence);
        }
    }
    drawn
}

/// Fields of an answer that are right, of how many the right one has. What cannot be read as JSON has none.
pub fn fields_right(answer: &str, right: &str) -> (usize, usize) {
    type Fields = serde_json::Map<String, serde_json::Value>;
    let Ok(right) = serde_json::from_str::<Fields>(right) else { return (0, 0) };
    let Ok(answer) = serde_json::from_str::<Fields>(answer.trim()) else { return (0, right.len()) };
    (right.iter().filter(|(name, value)| answer.get(*name) == Some(*value)).count(), right.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_every_field_once_and_nothing_is_in_both_lists() {
        assert_eq!(kinds().len(), 3);
        for (kind, (_, names)) in kinds().iter().zip(FIELDS) {
            assert_eq!(kind.fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
            for template in kind.training.iter().chain(&kind.new) {
                for name in names {
                    assert_eq!(template.matches(&format!("{{{name}}}")).count(), 1, "{template}");
                }
            }
            for (name, values) in &kind.fields {
                if let Values::Words { training, new } = values {
                    assert!(new.iter().all(|word| !training.contains(word)), "{name}");
                }
            }
            assert!(kind.new.iter().all(|template| !kind.training.contains(template)));
        }
    }

    #[test]
    fn an_answer_is_a_line_of_json_with_what_stands_in_the_sentence() {
        let mut rng = stream(1, "test");
        for subject in Subject::EACH {
            for _ in 0..50 {
                let Extracted { text, answer, .. } = training(subject, &mut rng);
                let read: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&answer).unwrap();
                assert_eq!(read.len(), 4, "{answer}");
                for value in read.values() {
                    let word = value.as_str().map_or_else(|| value.to_string(), String::from);
                    assert!(text.contains(&word), "{text} {answer}");
                }
                assert!(!text.contains('{') && !answer.contains('\n'), "{text}");
            }
        }
        assert!(training(Subject::Person, &mut rng).answer.starts_with("{\"name\": \""));
    }

    #[test]
    fn what_is_held_out_is_never_drawn_to_train_on() {
        let mut rng = stream(2, "test");
        let value = |answer: &str, field: &str| {
            let read: serde_json::Value = serde_json::from_str(answer).unwrap();
            read[field].clone()
        };
        let held_out = held_out(Subject::Meeting);
        assert_eq!(held_out.iter().filter(|sentence| sentence.is_new_wording).count(), HELD_OUT / 2);
        for _ in 0..500 {
            let drawn = training(Subject::Meeting, &mut rng).answer;
            for field in ["topic", "day", "hour", "host"] {
                let drawn = value(&drawn, field);
                assert!(held_out.iter().take(20).all(|sentence| value(&sentence.answer, field) != drawn), "{drawn}");
            }
        }
    }

    #[test]
    fn fields_are_judged_one_by_one() {
        let right = r#"{"name": "Anna", "age": 34, "job": "nurse", "city": "Oslo"}"#;
        assert_eq!(fields_right(right, right), (4, 4));
        assert_eq!(fields_right(r#" {"age": 34, "name": "Anne", "job": "nurse"}"#, right), (2, 4));
        assert_eq!(fields_right("Anna, 34", right), (0, 4));
    }

    #[test]
    fn subjects_have_names() {
        for (subject, (name, _)) in Subject::EACH.into_iter().zip(Subject::OPTIONS) {
            assert_eq!((Subject::parse(name), subject.name()), (Ok(subject), name));
        }
        assert!(Subject::parse("plants").unwrap_err().message.contains("meeting"));
    }
}
