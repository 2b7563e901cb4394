//! The words around a text and its label: a template, and what stands for each label in it (a verbalizer).

use crate::base::{Fault, shorten};
use std::fmt;

/// Characters of a template at most.
pub const MAX_TEMPLATE: usize = 200;
/// Characters of a label's words at most.
pub const MAX_WORD: usize = 40;
/// Tokens of a label at most.
pub const MAX_LABEL: usize = 32;
/// Tokens that a title is counted with where the file is not here.
const TITLE: usize = 8;

/// The words around a text and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// In front of the text.
    pub before: String,
    /// Between text and label; not empty.
    pub between: String,
    /// Behind the label, up to the next demonstration.
    pub after: String,
}

impl Template {
    /// Reads `{text} means {label}.\n`; `\n` is a line break.
    ///
    /// # Errors
    /// Where text and label are not there once each, in this order, or nothing stands between.
    pub fn parse(text: &str) -> Result<Template, Fault> {
        if text.chars().count() > MAX_TEMPLATE {
            let message = format!("A template has at most {MAX_TEMPLATE} characters: “{}” has more.", shorten(text));
            return Err(Fault::new("template", message));
        }
        let text = text.replace("\\n", "\n");
        let parts = text.split_once("{text}").and_then(|(before, rest)| {
            let (between, after) = rest.split_once("{label}")?;
            Some(Template { before: before.into(), between: between.into(), after: after.into() })
        });
        let whole = |t: &Template| {
            [&t.before, &t.between, &t.after].iter().all(|p| !p.contains("{text}") && !p.contains("{label}"))
        };
        parts.filter(|t| whole(t) && !t.between.is_empty()).ok_or_else(|| {
            let message = format!(
                "A template holds {{text}} and {{label}}, once each, in this order, with something between: “{}” does not.",
                shorten(&text)
            );
            Fault::new("template", message)
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{}{{text}}{}{{label}}{}", self.before, self.between, self.after).replace('\n', "\\n"))
    }
}

/// How a run puts texts and labels into words, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateChoice {
    /// A text, a line break, its label.
    Plain,
    /// In these words.
    Words(Box<Template>),
}

impl TemplateChoice {
    /// The word for [`Plain`](Self::Plain).
    pub const PLAIN: &'static str = "plain";

    /// Reads `plain` or a template.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn parse(text: &str) -> Result<TemplateChoice, Fault> {
        match text.trim() {
            Self::PLAIN => Ok(TemplateChoice::Plain),
            text => Ok(TemplateChoice::Words(Box::new(Template::parse(text)?))),
        }
    }

    /// The template, where there is one.
    pub fn template(&self) -> Option<&Template> {
        match self {
            TemplateChoice::Plain => None,
            TemplateChoice::Words(template) => Some(template),
        }
    }
}

impl fmt::Display for TemplateChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TemplateChoice::Plain => f.write_str(Self::PLAIN),
            TemplateChoice::Words(template) => template.fmt(f),
        }
    }
}

/// What stands for each label (Schick and Schütze 2021).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verbalizer {
    /// One letter, as the task's file has it.
    #[default]
    Letters,
    /// What the label is called in the task's file.
    Titles,
    /// A word or several for each label, in the order of the file.
    Words(Vec<String>),
}

impl Verbalizer {
    /// The word for [`Letters`](Self::Letters).
    pub const LETTERS: &'static str = "letters";
    /// The word for [`Titles`](Self::Titles).
    pub const TITLES: &'static str = "titles";

    /// Reads `letters`, `titles`, or words joined by commas.
    ///
    /// # Errors
    /// Where they are not 2 to 20, one is empty or too long, or two are the same.
    pub fn parse(text: &str) -> Result<Verbalizer, Fault> {
        let fault = |message: String| Err(Fault::new("labels", message));
        let words: Vec<&str> = match text.trim() {
            Self::LETTERS => return Ok(Verbalizer::Letters),
            Self::TITLES => return Ok(Verbalizer::Titles),
            text => text.split(',').map(str::trim).collect(),
        };
        if words.iter().any(|word| word.is_empty()) {
            return fault(format!("“{}” has a label without words: one stands between two commas.", shorten(text)));
        }
        if let Some(word) = words.iter().find(|word| word.chars().count() > MAX_WORD) {
            return fault(format!("A label has at most {MAX_WORD} characters: “{}” has more.", shorten(word)));
        }
        if let Some((_, word)) = words.iter().enumerate().find(|(i, word)| words[..*i].contains(word)) {
            return fault(format!("Two labels cannot have the same words: “{}” stands there twice.", shorten(word)));
        }
        match words.len() {
            2.. => Ok(Verbalizer::Words(words.into_iter().map(String::from).collect())),
            _ => fault(format!(
                "Labels are words joined by commas, one for each label, or “letters”, or “titles”: “{}” is one alone.",
                shorten(words[0])
            )),
        }
    }
}

impl fmt::Display for Verbalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verbalizer::Letters => f.write_str(Self::LETTERS),
            Verbalizer::Titles => f.write_str(Self::TITLES),
            Verbalizer::Words(words) => f.write_str(&words.join(",")),
        }
    }
}

/// What holds: the words around texts and labels of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// `None` is the task's plain form: a text, a line break, its label; a string, `>`, its answer.
    pub template: Option<Template>,
    /// What stands for each label.
    pub labels: Verbalizer,
}

impl Wording {
    /// A template and words of the program's own, which tests read.
    pub(super) fn of(before: &str, between: &str, labels: Verbalizer) -> Wording {
        let template = Template { before: before.into(), between: between.into(), after: "\n\n".into() };
        Wording { template: Some(template), labels }
    }

    /// The same around answers that are written freely: the line break behind one ends it.
    pub(super) fn of_answers(before: &str, between: &str) -> Wording {
        let template = Template { before: before.into(), between: between.into(), after: "\n".into() };
        Wording { template: Some(template), labels: Verbalizer::Letters }
    }

    /// Tokens of a label at most; the tokenizer alone knows how many. No token is shorter than a byte. The titles of a file
    /// are not known here: what does not fit of them is told when they are read.
    pub fn label_tokens(&self) -> usize {
        match &self.labels {
            Verbalizer::Letters => 1,
            Verbalizer::Titles => TITLE,
            // A blank in front belongs to it.
            Verbalizer::Words(words) => words.iter().map(|word| word.len() + 1).max().unwrap_or(1).min(MAX_LABEL),
        }
    }

    /// About how many tokens the longest label has, at four letters a token.
    pub fn likely_label_tokens(&self) -> usize {
        match &self.labels {
            Verbalizer::Letters => 1,
            Verbalizer::Titles => 4,
            Verbalizer::Words(words) => words.iter().map(|word| word.chars().count().div_ceil(4)).max().unwrap_or(1),
        }
    }

    /// Tokens around a text at most, without the label; of the plain form the one between.
    pub fn tokens_around(&self) -> usize {
        self.template.as_ref().map_or(1, |template| template.before.len() + template.between.len())
    }

    /// The same behind a label, up to the next demonstration.
    pub fn tokens_behind(&self) -> usize {
        self.template.as_ref().map_or(1, |template| template.after.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_a_text_and_a_label() {
        let template = Template::parse("Q: {text}\\nA: {label}\\n").unwrap();
        assert_eq!(
            (template.before.as_str(), template.between.as_str(), template.after.as_str()),
            ("Q: ", "\nA: ", "\n")
        );
        assert_eq!(template.to_string(), "Q: {text}\\nA: {label}\\n");
        for bad in ["{text}", "{label}{text}", "{text}{label}", "{text} {text} {label}", "{text}={label}={label}"] {
            assert!(Template::parse(bad).unwrap_err().message.contains("once each"), "{bad}");
        }
        let long = format!("{{text}} {} {{label}}", "x".repeat(MAX_TEMPLATE));
        assert!(Template::parse(&long).unwrap_err().message.contains("at most 200 characters"));
    }

    #[test]
    fn labels_are_words_a_list_of_them_or_a_name_for_one() {
        assert_eq!(Verbalizer::parse(" letters "), Ok(Verbalizer::Letters));
        assert_eq!(Verbalizer::parse("titles"), Ok(Verbalizer::Titles));
        let words = Verbalizer::parse(" very good ,bad").unwrap();
        assert_eq!(words, Verbalizer::Words(vec!["very good".into(), "bad".into()]));
        assert_eq!(words.to_string(), "very good,bad");
        let long = format!("{},b", "a".repeat(MAX_WORD + 1));
        for (bad, told) in [
            ("good", "is one alone"),
            ("good,,bad", "without words"),
            ("a,b,a", "stands there twice"),
            (&long, "at most 40"),
        ] {
            let fault = Verbalizer::parse(bad).unwrap_err();
            assert!(fault.key == "labels" && fault.message.contains(told), "{bad}: {}", fault.message);
        }
    }

    #[test]
    fn bounds_count_bytes() {
        let wording = Wording::of("Review: ", "\nSentiment: ", Verbalizer::parse("positive,bad").unwrap());
        assert_eq!((wording.tokens_around(), wording.label_tokens(), wording.tokens_behind()), (8 + 12, 9, 2));
        assert_eq!((Wording::default().tokens_around(), Wording::default().label_tokens()), (1, 1));
    }
}
