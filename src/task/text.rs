//! Classification of texts: which of a few labels belongs to this sentence?
//!
//! Each task is a file `data/<name>.json` that `cargo xtask bake` writes from published packages; this file
//! says what there is and reads it. On a small base a text is followed by a line break and the label, which is one
//! token; on one that knows words it stands in a template, in front of a word.

use super::Baselines;
use super::wording::{Verbalizer, Wording};
use crate::base::read_json;
use serde::{Deserialize, Serialize};

/// A task of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextTask {
    /// Which of seven books is this sentence from?
    Authors,
    /// Is this spoken or told?
    Dialogue,
    /// Which language is this sentence in?
    Sentences,
    /// Which language is this word from?
    Words,
    /// Is this opinion of a film good or bad?
    Sentiment,
}

/// What is fixed about one.
struct Fixed {
    title: &'static str,
    question: &'static str,
    file: &'static str,
    labels: usize,
    training: usize,
    held_out: usize,
    /// Longer texts keep their last tokens.
    max_tokens: usize,
}

/// Tokens of a text at most, in most tasks.
pub const MAX_TOKENS: usize = 96;

impl TextTask {
    fn fixed(self) -> Fixed {
        let fixed = |title, question, file, labels, training, held_out, max_tokens| Fixed {
            title,
            question,
            file,
            labels,
            training,
            held_out,
            max_tokens,
        };
        match self {
            TextTask::Authors => {
                fixed("authors", "Which of seven books is this sentence from?", "authors", 7, 4200, 1050, MAX_TOKENS)
            }
            TextTask::Dialogue => fixed("dialogue", "Is this spoken or told?", "dialogue", 2, 3000, 1000, MAX_TOKENS),
            TextTask::Sentences => fixed(
                "languages, sentences",
                "Which of six languages is this sentence in?",
                "language-sentence",
                6,
                4200,
                900,
                MAX_TOKENS,
            ),
            TextTask::Words => fixed(
                "languages, words",
                "Which of six languages is this word from?",
                "language-word",
                6,
                3600,
                900,
                24,
            ),
            TextTask::Sentiment => {
                fixed("film opinions", "Is this opinion of a film good or bad?", "sentiment", 2, 4000, 1000, MAX_TOKENS)
            }
        }
    }

    /// What the page calls it.
    pub fn title(self) -> &'static str {
        self.fixed().title
    }

    /// One sentence: what is asked.
    pub fn question(self) -> &'static str {
        self.fixed().question
    }

    /// Its file, by the logical name.
    pub fn file(self) -> String {
        format!("data/{}.json", self.stem())
    }

    /// The file's name without folder and ending; recorded runs lie in a folder of that name.
    pub fn stem(self) -> &'static str {
        self.fixed().file
    }

    /// The number of labels.
    pub fn labels(self) -> usize {
        self.fixed().labels
    }

    /// Training examples in all.
    pub fn training(self) -> usize {
        self.fixed().training
    }

    /// Held-out examples in all.
    pub fn held_out(self) -> usize {
        self.fixed().held_out
    }

    /// The words in which a base that knows words reads it, in the order of the file's labels.
    pub fn wording(self) -> Wording {
        let (before, between, labels) = match self {
            TextTask::Authors => {
                ("Sentence: ", "\nAuthor: ", &["Dickens", "Stoker", "Doyle", "Twain", "Dumas", "Homer", "Verne"][..])
            }
            TextTask::Dialogue => ("Sentence: ", "\nSpoken or told: ", &["spoken", "told"][..]),
            TextTask::Sentences | TextTask::Words => {
                let before = if self == TextTask::Words { "Word: " } else { "Sentence: " };
                (before, "\nLanguage: ", &["English", "German", "French", "Portuguese", "Italian", "Dutch"][..])
            }
            TextTask::Sentiment => ("Review: ", "\nSentiment: ", &["positive", "negative"][..]),
        };
        Wording::of(before, between, Verbalizer::Words(labels.iter().map(|word| word.to_string()).collect()))
    }

    /// Tokens of a text at most; of longer ones the last are read.
    pub fn max_tokens(self) -> usize {
        self.fixed().max_tokens
    }
}

/// The contents of a task's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Labelled {
    /// Two or more.
    pub labels: Vec<Label>,
    /// (label, text)
    pub training: Vec<(usize, String)>,
    /// (label, text), never trained on.
    pub held_out: Vec<(usize, String)>,
    /// A visitor's own data has none yet: the trainer measures them.
    #[serde(default)]
    pub baselines: Option<Baselines>,
    /// What it is, from where, and its licence.
    #[serde(default)]
    pub source: String,
}

/// A label: the token that stands for it, and what it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The text of one token (`A`).
    pub label: String,
    /// What it means, in a word or two.
    pub title: String,
    /// More of it, for the page; may be empty.
    #[serde(default)]
    pub about: String,
}

/// A data file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelledError {
    /// It is no JSON of this form; what the parser says.
    #[error("it is not readable: {0}")]
    Json(String),
    /// It can be read but not learnt from; what it has, as the end of a sentence.
    #[error("it has {0}")]
    Contents(String),
}

impl Labelled {
    /// The texts of both parts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.training.iter().chain(&self.held_out).map(|(_, text)| text.as_str())
    }

    /// Reads and checks a task's file.
    pub fn from_json(text: &str) -> Result<Labelled, LabelledError> {
        let data: Labelled = read_json(text).map_err(LabelledError::Json)?;
        let contents = |what: String| Err(LabelledError::Contents(what));
        if data.labels.len() < 2 {
            return contents(format!("{} labels, not two or more", data.labels.len()));
        }
        if data.training.is_empty() || data.held_out.is_empty() {
            return contents("no sentences".into());
        }
        match data.training.iter().chain(&data.held_out).find(|(label, _)| *label >= data.labels.len()) {
            Some((label, _)) => contents(format!("a sentence of label {label}, which it does not name")),
            None => Ok(data),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(labels: &str, training: &str) -> String {
        format!(
            r#"{{"labels":{labels},"training":{training},"held_out":[[1,"b"]],"baselines":{{"chance":0.5,"majority":0.5,"bag_of_words":0.5}}}}"#
        )
    }

    #[test]
    fn every_label_has_words_of_its_own() {
        use TextTask::{Authors, Dialogue, Sentences, Sentiment, Words};
        for task in [Authors, Dialogue, Sentences, Words, Sentiment] {
            let Wording { template, labels } = task.wording();
            assert_eq!(Verbalizer::parse(&labels.to_string()).as_ref(), Ok(&labels));
            let Verbalizer::Words(words) = labels else { panic!() };
            assert_eq!(words.len(), task.labels());
            // Where the data was made, its labels are in this order.
            let path = format!("{}/www/{}", env!("CARGO_MANIFEST_DIR"), task.file());
            let Ok(data) = std::fs::read_to_string(path) else { continue };
            let data = Labelled::from_json(&data).unwrap();
            for (label, word) in data.labels.iter().zip(&words).filter(|_| task != Dialogue) {
                let of = format!("{} {}", label.title, label.about).to_lowercase();
                assert!(of.contains(&word.to_lowercase()), "{of}: {word}");
            }
            let template = template.unwrap();
            assert_eq!(crate::task::Template::parse(&template.to_string()), Ok(template));
        }
    }

    #[test]
    fn a_file_is_checked_before_it_is_used() {
        let two = r#"[{"label":"A","title":"one"},{"label":"B","title":"two"}]"#;
        assert_eq!(Labelled::from_json(&json(two, r#"[[0,"a"]]"#)).unwrap().labels[1].title, "two");
        let error =
            |labels: &str, training: &str| Labelled::from_json(&json(labels, training)).unwrap_err().to_string();
        assert!(error("[]", r#"[[0,"a"]]"#).contains("0 labels"));
        assert!(error(two, "[]").contains("no sentences"));
        assert!(error(two, r#"[[2,"a"]]"#).contains("label 2"));
        assert!(error(two, "{").contains("not readable"));
    }
}
