//! Tasks whose answers are written freely: their examples, and what of a wrong answer is right.

use super::form::{Form, Item};
use super::free::{Marked, Reader};
use super::source::{Source, shuffle};
use super::task_data::{Answers, Free, TaskData};
use super::words::without;
use crate::base::{Fault, stream};
use crate::protocol::PartScore;
use crate::task::extract::{self, Extracted, Subject};
use crate::task::tokenizer::Tokenizer;
use crate::task::{Answered, Baselines, Example, Pair, Prompt, TaskConfig, Wording};
use std::collections::HashMap;
use std::rc::Rc;

impl TaskData {
    /// Sentences whose answer is a line of JSON.
    pub(super) fn extract(
        config: &TaskConfig,
        subject: Subject,
        context: usize,
        tokenizer: &Tokenizer,
        wording: &Wording,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        let reader = Rc::new(reader(config, context, false, tokenizer, wording)?);
        let held_out = extract::held_out(subject);
        let groups = held_out.iter().map(|s| if s.is_new_wording { "new wording" } else { "known wording" }).collect();
        let pair = |Extracted { text, answer, .. }: Extracted| Pair { prompt: Prompt::Text(text), answer };
        let held_out: Vec<Pair> = held_out.into_iter().map(pair).collect();
        let fresh = Source::Sentences { subject, reader: reader.clone() };
        let training = match config.examples() {
            Some(n) => {
                let mut rng = stream(seed, "training examples");
                Source::Pool((0..n).map(|_| fresh.draw(&mut rng)).collect())
            }
            None => fresh,
        };
        // No held-out value was ever seen.
        let baselines = Baselines { chance: 0.0, majority: 0.0, bag_of_words: 0.0 };
        let data = TaskData::free(config, reader, training, &held_out, baselines);
        Ok(data.judged(groups, true))
    }

    /// A visitor's prompts with answers.
    pub(super) fn answered(
        config: &TaskConfig,
        data: &Answered,
        context: usize,
        tokenizer: &Tokenizer,
        wording: &Wording,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        let reader = Rc::new(reader(config, context, data.is_chat(), tokenizer, wording)?);
        let mut pool: Vec<usize> = (0..data.training.len()).collect();
        if let Some(n) = config.examples() {
            shuffle(&mut pool, &mut stream(seed, "training examples"));
            pool.truncate(n);
        }
        let item = |pair: &Pair| reader.item(&pair.prompt, &pair.answer);
        let training = Source::Pool(pool.into_iter().map(|i| item(&data.training[i])).collect());
        let baselines = baselines(data);
        Ok(TaskData::free(config, reader, training, &data.held_out, baselines))
    }

    fn free(
        config: &TaskConfig,
        reader: Rc<Reader>,
        training: Source,
        held_out: &[Pair],
        baselines: Baselines,
    ) -> TaskData {
        let items: Vec<Item> = held_out.iter().map(|pair| reader.item(&pair.prompt, &pair.answer)).collect();
        // As it is written where all of it is read.
        let right = |(item, pair): (&Item, &Pair)| match item.label.last() == Some(&reader.end) {
            true => pair.answer.trim().to_string(),
            false => reader.text(&item.label),
        };
        let right = items.iter().zip(held_out).map(right).collect();
        let answers = Answers::Free(Free { reader: reader.clone(), right, groups: Vec::new(), has_fields: false });
        TaskData {
            config: config.clone(),
            labels: (0..reader.tokenizer.vocab_size() as u32).collect(),
            sequences: None,
            chosen: false,
            places: Vec::new(),
            training,
            held_out: items.iter().map(|item| reader.form.example(item)).collect(),
            inputs: held_out.iter().map(|pair| pair.prompt.shown().to_string()).collect(),
            baselines,
            form: reader.form.clone(),
            longest_text: reader.longest_prompt,
            names: Vec::new(),
            answers,
        }
    }

    /// The same with kinds of held-out examples, and whether fields are judged.
    fn judged(mut self, groups: Vec<&'static str>, has_fields: bool) -> TaskData {
        if let Answers::Free(free) = &mut self.answers {
            (free.groups, free.has_fields) = (groups, has_fields);
        }
        self
    }

    /// Where a free answer ends: the token behind it, and what the tokenizer ends a text with.
    pub fn ends(&self) -> Vec<u32> {
        match &self.answers {
            Answers::Free(free) => vec![free.reader.end],
            _ => Vec::new(),
        }
    }

    /// What of free answers is right: tokens, each behind the right ones before it; fields; examples of each kind.
    pub fn parts<'m>(&self, marked: impl IntoIterator<Item = &'m Marked>) -> Vec<PartScore> {
        let Answers::Free(free) = &self.answers else { return Vec::new() };
        let mut sums: Vec<(&str, usize, usize)> = Vec::new();
        let mut count =
            |name: &'static str, right: usize, n: usize| match sums.iter_mut().find(|(other, ..)| *other == name) {
                Some(sum) => (sum.1, sum.2) = (sum.1 + right, sum.2 + n),
                None => sums.push((name, right, n)),
            };
        for Marked { place, predicted, .. } in marked {
            let Example { tokens, answer } = &self.held_out[*place];
            let right = predicted.iter().zip(&tokens[tokens.len() - answer..]).filter(|(a, b)| a == b).count();
            count("tokens", right, *answer);
            if free.has_fields {
                let (right, n) = extract::fields_right(&free.reader.text(predicted), &free.right[*place]);
                count("fields", right, n);
            }
            if let Some(group) = free.groups.get(*place) {
                count(group, usize::from(right == *answer), 1);
            }
        }
        let score = |(name, right, n): (&str, usize, usize)| PartScore {
            name: name.into(),
            accuracy: right as f64 / n.max(1) as f64,
            n,
        };
        sums.into_iter().map(score).collect()
    }
}

/// How a base's tokenizer reads prompts and answers in some words. An answer ends with the first token behind it there,
/// else with a line break.
fn reader(
    config: &TaskConfig,
    context: usize,
    is_chat: bool,
    tokenizer: &Tokenizer,
    wording: &Wording,
) -> Result<Reader, Fault> {
    let newline = tokenizer.encode("\n").pop().ok_or_else(|| without("\n"))?;
    let begin = tokenizer.begin().to_vec();
    let form = match &wording.template {
        _ if is_chat => Form::of_chat(begin),
        Some(template) => Form::of_template(begin, template, &[Form::LETTER.to_string()], tokenizer).0,
        None => Form::plain(begin, newline, newline),
    };
    let end = form.after.first().copied().unwrap_or(newline);
    let longest_prompt = config.longest_text(context).unwrap_or(context);
    let longest_answer = config.answer_tokens(wording, context);
    Ok(Reader { tokenizer: tokenizer.clone(), form, end, longest_prompt, longest_answer })
}

/// What answers score without a network: the commonest, and that of the prompt with the most words in common.
fn baselines(data: &Answered) -> Baselines {
    /// Rows that are compared with each other at most.
    const ROWS: usize = 1000;
    let mut counts: HashMap<&str, usize> = HashMap::new();
    data.training.iter().for_each(|pair| *counts.entry(&pair.answer).or_default() += 1);
    // Of equals the first by name, so that the figure is the same everywhere.
    let commonest =
        counts.iter().max_by_key(|(answer, n)| (**n, std::cmp::Reverse(**answer))).map(|(answer, _)| *answer);
    let words = |pair: &Pair| -> std::collections::HashSet<String> {
        pair.prompt.shown().split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect()
    };
    let training: Vec<_> = data.training.iter().take(ROWS).map(|pair| (words(pair), &pair.answer)).collect();
    let nearest = |pair: &Pair| {
        let own = words(pair);
        let shared = |(i, (other, _)): &(usize, &(std::collections::HashSet<String>, &String))| {
            let both = own.intersection(other).count() as f64;
            let share = both / (own.len() + other.len()) as f64;
            ((share * 1e9) as u64, std::cmp::Reverse(*i))
        };
        training.iter().enumerate().max_by_key(shared).map(|(_, (_, answer))| *answer)
    };
    let held_out: Vec<&Pair> = data.held_out.iter().take(ROWS).collect();
    let share = |right: &dyn Fn(&Pair) -> bool| {
        held_out.iter().filter(|pair| right(pair)).count() as f64 / held_out.len().max(1) as f64
    };
    Baselines {
        chance: 0.0,
        majority: share(&|pair| Some(pair.answer.as_str()) == commonest),
        bag_of_words: share(&|pair| nearest(pair) == Some(&pair.answer)),
    }
}
