//! Where training examples come from: fresh strings, a pool, or windows of a text.

use super::form::{Form, Item};
use super::free::Reader;
use crate::task::extract::Subject;
use crate::task::{Example, Question, Rule, extract, questions, rules, style};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;
use std::rc::Rc;

/// Where training examples are drawn from.
pub(super) enum Source {
    /// Fresh strings without end, none of them held out.
    Strings {
        asked: Asked,
        held_out: HashSet<rules::Letters>,
    },
    /// Fresh sentences without end, of other values and templates than those held out.
    Sentences {
        subject: Subject,
        reader: Rc<Reader>,
    },
    Pool(Vec<Item>),
    /// Windows of a text.
    Windows(Vec<Example>),
}

/// What is asked of a string.
#[derive(Clone)]
pub(super) enum Asked {
    Rule(Rule),
    Question(Question),
}

impl Asked {
    pub(super) fn item(&self, string: rules::Letters) -> Item {
        let label = match self {
            Asked::Rule(rule) => rule.apply(string).map(u32::from).to_vec(),
            Asked::Question(question) => vec![questions::ANSWERS[usize::from(question.answer(string))]],
        };
        Item { text: string.map(u32::from).to_vec(), label }
    }

    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> rules::Letters {
        match self {
            Asked::Rule(_) => rules::draw(rng),
            Asked::Question(question) => question.draw(rng),
        }
    }

    pub(super) fn held_out(&self) -> Vec<rules::Letters> {
        match self {
            Asked::Rule(_) => rules::held_out(),
            Asked::Question(question) => question.held_out(),
        }
    }
}

impl Source {
    /// `n` training examples: fresh, or without repetition as far as the pool goes.
    pub(super) fn examples(&self, n: usize, form: &Form, rng: &mut ChaCha8Rng) -> Vec<Example> {
        match self {
            Source::Windows(texts) => (0..n).map(|_| window(&texts[0].tokens, rng)).collect(),
            Source::Pool(pool) if n <= pool.len() => {
                let mut chosen: Vec<usize> = Vec::with_capacity(n);
                while chosen.len() < n {
                    let i = rng.random_range(0..pool.len() as u32) as usize;
                    if !chosen.contains(&i) {
                        chosen.push(i);
                    }
                }
                chosen.into_iter().map(|i| form.example(&pool[i])).collect()
            }
            source => (0..n).map(|_| form.example(&source.draw(rng))).collect(),
        }
    }

    /// One example, where they are not windows.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> Item {
        match self {
            Source::Strings { asked, held_out } => loop {
                let string = asked.draw(rng);
                if !held_out.contains(&string) {
                    return asked.item(string);
                }
            },
            Source::Sentences { subject, reader } => {
                let drawn = extract::training(*subject, rng);
                reader.text_item(&drawn.text, &drawn.answer)
            }
            Source::Pool(pool) => pool[rng.random_range(0..pool.len() as u32) as usize].clone(),
            Source::Windows(_) => unreachable!("windows are examples already"),
        }
    }
}

/// A window from anywhere in a text.
fn window(text: &[u32], rng: &mut ChaCha8Rng) -> Example {
    let at = rng.random_range(0..(text.len() - style::WINDOW + 1) as u32) as usize;
    Example { tokens: text[at..at + style::WINDOW].to_vec(), answer: style::WINDOW - 1 }
}

/// Fisher and Yates, by the host's stream.
pub(super) fn shuffle(items: &mut [usize], rng: &mut ChaCha8Rng) {
    for i in (1..items.len()).rev() {
        items.swap(i, rng.random_range(0..=i as u32) as usize);
    }
}
