//! A visitor's data ready to train on: its name, and the file that the trainer reads.

use super::answers::AnsweredSplit;
use super::labelled::LabelledSplit;
use super::limits::MAX_LABELS;
use super::text::text_split;
use crate::base::{Fault, fingerprint, shorten, slug, stem};
use crate::task::{Answered, style, text};
use serde::{Deserialize, Serialize};

/// What a configuration knows of a visitor's data. The data itself stays in the page: an address names it,
/// and cannot bring it along.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserData {
    /// From its file's name and its contents: `reviews-1a2b3c4d`.
    pub name: String,
    /// Labels, or `None` for a text to write like or for answers.
    pub classes: Option<usize>,
    /// Whether prompts have answers that are written freely.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answers: bool,
}

impl UserData {
    /// The logical name of the file that the trainer reads.
    pub fn file(&self) -> String {
        format!("data/own/{}.json", self.name)
    }

    /// What the page calls it.
    pub fn title(&self) -> &str {
        match self.name.rsplit_once('-') {
            Some((title, _)) if !title.is_empty() => title,
            _ => "your data",
        }
    }

    /// Texts with labels as a task's file. Labels stand for themselves as letters: any base has a token for
    /// each of those.
    pub fn labelled(file: &str, data: &LabelledSplit) -> (UserData, String) {
        let labels = letters(&data.labels).into_iter().zip(&data.labels).map(|(letter, title)| text::Label {
            label: letter.to_string(),
            title: title.clone(),
            about: String::new(),
        });
        let data = text::Labelled {
            labels: labels.collect(),
            training: data.training.clone(),
            held_out: data.held_out.clone(),
            baselines: None,
            source: SOURCE.into(),
        };
        let classes = Some(data.labels.len());
        UserData::named(file, classes, json(&data))
    }

    /// A text to write like as a task's file.
    pub fn text(file: &str, text: &str) -> (UserData, String) {
        let (training, held_out) = text_split(text);
        let author = style::AuthorText { title: file.into(), training, held_out };
        UserData::named(file, None, json(&style::Texts { authors: vec![author], source: SOURCE.into() }))
    }

    /// Prompts with answers as a task's file.
    pub fn answered(file: &str, split: &AnsweredSplit) -> (UserData, String) {
        let AnsweredSplit { training, held_out, .. } = split.clone();
        let (data, json) = UserData::named(file, None, json(&Answered { training, held_out, source: SOURCE.into() }));
        (UserData { answers: true, ..data }, json)
    }

    fn named(file: &str, classes: Option<usize>, json: String) -> (UserData, String) {
        let name = format!("{}-{}", slug(stem(file), NAME), fingerprint(json.as_bytes()));
        (UserData { name, classes, answers: false }, json)
    }
}

/// Characters of a file's name in an id.
const NAME: usize = 24;
const SOURCE: &str = "Your own; it never leaves this machine.";

fn json(data: &impl serde::Serialize) -> String {
    // Strings and numbers alone: there is nothing that could fail.
    serde_json::to_string(data).unwrap_or_default()
}

/// One capital letter for each label: the label's first, where no other begins so, else the next in the
/// alphabet.
pub fn letters(labels: &[String]) -> Vec<char> {
    let initials: Vec<Option<char>> = labels
        .iter()
        .map(|label| label.chars().next().map(|c| c.to_ascii_uppercase()).filter(char::is_ascii_uppercase))
        .collect();
    let distinct = |c: &char| initials.iter().filter(|other| **other == Some(*c)).count() == 1;
    if initials.iter().all(|c| c.is_some_and(|c| distinct(&c))) {
        return initials.into_iter().flatten().collect();
    }
    ('A'..='Z').take(labels.len()).collect()
}

/// A name as an address has it.
pub fn parse_name(text: &str) -> Result<String, Fault> {
    let fits = text.len() <= 33 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    match fits {
        true => Ok(text.into()),
        false => {
            Err(Fault::new("data", format!("“{}” names no data of yours: drop its file on the page.", shorten(text))))
        }
    }
}

/// A number of labels as an address has it.
pub fn parse_classes(text: &str) -> Result<Option<usize>, Fault> {
    match text.trim().parse() {
        Ok(n) if (2..=MAX_LABELS).contains(&n) => Ok(Some(n)),
        _ => Err(Fault::new("classes", format!("Labels: a whole number from 2 to {MAX_LABELS}."))),
    }
}

/// The word for answers that are written freely.
pub const FREE: &str = "free";

/// Whether answers are written freely, as an address has it.
pub fn parse_answers(text: &str) -> Result<bool, Fault> {
    match text.trim() {
        FREE => Ok(true),
        "labels" => Ok(false),
        _ => Err(Fault::new("answers", format!("Answers: labels, or {FREE}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[&str]) -> LabelledSplit {
        let labels: Vec<String> = labels.iter().map(|l| l.to_string()).collect();
        let rows: Vec<(usize, String)> = (0..labels.len()).map(|l| (l, format!("text {l}"))).collect();
        LabelledSplit { labels, training: rows.clone(), held_out: rows, left_out: Default::default() }
    }

    #[test]
    fn labels_stand_as_their_initials_where_those_differ() {
        let stands = |labels: &[&str]| letters(&of(labels).labels).into_iter().collect::<String>();
        assert_eq!(stands(&["positive", "neutral", "Mixed"]), "PNM");
        assert_eq!(stands(&["bad", "boring", "good"]), "ABC");
        assert_eq!(stands(&["1", "2"]), "AB");
        assert_eq!(stands(&["Ärger", "Freude"]), "AB");
    }

    #[test]
    fn a_name_tells_file_and_contents_and_reads_back() {
        let (data, json) = UserData::labelled("My Reviews (2024).csv", &of(&["good", "bad"]));
        assert_eq!((data.title(), data.classes), ("my-reviews-2024", Some(2)));
        assert_eq!(parse_name(&data.name), Ok(data.name.clone()));
        let (other, _) = UserData::labelled("My Reviews (2024).csv", &of(&["good", "poor"]));
        assert_ne!(data.name, other.name);
        let read = text::Labelled::from_json(&json).unwrap();
        assert_eq!((read.labels[1].label.as_str(), read.labels[1].title.as_str()), ("B", "bad"));
        assert_eq!(UserData::default().title(), "your data");
        assert_eq!(slug("…", NAME), "pasted");
    }

    #[test]
    fn a_text_becomes_one_author_s() {
        let (data, json) = UserData::text("", &"A short line.\n".repeat(400));
        assert_eq!((data.title(), data.classes), ("pasted", None));
        assert_eq!(style::Texts::from_json(&json).unwrap().authors.len(), 1);
    }

    #[test]
    fn an_address_cannot_name_a_path() {
        for name in ["../models/rules/config", "A", "a b", &"a".repeat(40)] {
            assert!(parse_name(name).is_err(), "{name}");
        }
        assert!(parse_classes("1").is_err() && parse_classes("21").is_err() && parse_classes("x").is_err());
    }
}
