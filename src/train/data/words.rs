//! What stands for each label of a task: its words, and their tokens on a base.

use super::form::Form;
use crate::base::{Fault, shorten};
use crate::task::text;
use crate::task::tokenizer::Tokenizer;
use crate::task::{Labelled, MAX_LABEL, Template, Verbalizer, Wording};

/// What stands for each label.
pub(super) fn names(labels: &Verbalizer, data: &Labelled) -> Result<Vec<String>, Fault> {
    let of = |name: fn(&text::Label) -> &String| data.labels.iter().map(|label| name(label).clone()).collect();
    match labels {
        Verbalizer::Letters => Ok(of(|label| &label.label)),
        Verbalizer::Titles => Ok(of(|label| &label.title)),
        Verbalizer::Words(words) if words.len() == data.labels.len() => Ok(words.clone()),
        Verbalizer::Words(words) => {
            let message =
                format!("The data has {} labels: {} words are not one for each.", data.labels.len(), words.len());
            Err(Fault::new("labels", message))
        }
    }
}

/// The form of texts in some words, and the tokens of each label there.
pub(super) fn worded(
    wording: &Wording,
    names: &[String],
    tokenizer: &Tokenizer,
) -> Result<(Form, Vec<Vec<u32>>), Fault> {
    let begin = tokenizer.begin().to_vec();
    // The last: SentencePiece's tokenizers put a blank in front.
    let newline = || tokenizer.encode("\n").pop().ok_or_else(|| without("\n"));
    let (form, mut labels) = match (&wording.template, &wording.labels) {
        (Some(template), _) => Form::of_template(begin, template, names, tokenizer),
        (None, Verbalizer::Letters) => {
            let letters = names.iter().map(|letter| token(tokenizer, letter).map(|token| vec![token]));
            let newline = newline()?;
            (Form::plain(begin, newline, newline), letters.collect::<Result<Vec<Vec<u32>>, Fault>>()?)
        }
        (None, _) => {
            let newline = newline()?;
            let line = Template { before: String::new(), between: "\n".into(), after: "\n".into() };
            let (_, labels) = Form::of_template(Vec::new(), &line, names, tokenizer);
            (Form::plain(begin, newline, newline), labels)
        }
    };
    if wording.labels == Verbalizer::Letters {
        labels.iter_mut().for_each(|label| label.truncate(1));
    }
    for (i, (label, name)) in labels.iter().zip(names).enumerate() {
        if label.is_empty() {
            return Err(without(name));
        }
        if label.len() > MAX_LABEL {
            let message = format!(
                "The label “{}” has {} tokens, and {MAX_LABEL} are the most: name shorter words.",
                shorten(name),
                label.len()
            );
            return Err(Fault::new("labels", message));
        }
        if let Some(other) = labels[..i].iter().position(|other| other == label) {
            let message =
                format!("This base's tokenizer reads “{}” and “{}” alike: name other words.", names[other], name);
            return Err(Fault::new("labels", message));
        }
    }
    Ok((form, labels))
}

/// Of each label the token that tells it from the others: its first that no other label has in the same place, as far
/// as tokens go that none before it was given.
pub(super) fn telling(labels: &[Vec<u32>]) -> Result<Vec<u32>, Fault> {
    let mut chosen: Vec<u32> = Vec::with_capacity(labels.len());
    for (i, label) in labels.iter().enumerate() {
        let is_free = |token: &&u32| !chosen.contains(token);
        let tells = |place: &usize| {
            let mut others = labels.iter().enumerate().filter(|(j, _)| *j != i);
            others.all(|(_, other)| other.get(*place) != label.get(*place))
        };
        let first = (0..label.len()).filter(tells).map(|place| &label[place]).find(is_free);
        let token = first.or_else(|| label.iter().find(is_free)).ok_or_else(|| {
            Fault::new("labels", "All tokens of a label are those of other labels: name words that differ more.")
        })?;
        chosen.push(*token);
    }
    Ok(chosen)
}

/// The first token of a text.
fn token(tokenizer: &Tokenizer, text: &str) -> Result<u32, Fault> {
    tokenizer.encode(text).first().copied().ok_or_else(|| without(text))
}

pub(super) fn without(text: &str) -> Fault {
    Fault::new("base", format!("This base's tokenizer has no token for “{}”.", text.escape_debug()))
}
