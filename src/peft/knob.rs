//! Knobs: what a visitor may set about a method, described as data so that page, URL, flags and docs agree.

use super::Blocks;
use crate::base::{Fault, shorten};
use crate::model::families;
use std::fmt;

/// One setting of a method or task.
#[derive(Debug)]
pub struct Knob {
    /// Name in URL, flags and JSON (`rank`), as HF `peft` or AdapterHub write it.
    pub name: &'static str,
    /// Its name in addresses of earlier versions, where it had another: read, never written.
    pub formerly: Option<&'static str>,
    /// What a person would call it (`Rank`).
    pub label: &'static str,
    /// One sentence for the tooltip and `--help`.
    pub help: &'static str,
    /// The values that it takes.
    pub range: Range,
    /// Whether few visitors need it: it stands behind “More” where the method has other knobs.
    pub advanced: bool,
    /// Whether an emptied control leaves it to follow from the other knobs.
    pub optional: bool,
    /// Another knob and its value, with which alone this one matters.
    pub shown_when: Option<(&'static str, &'static str)>,
}

/// What values a knob takes.
#[derive(Debug)]
pub enum Range {
    /// Whole numbers.
    Integer {
        /// The least.
        min: usize,
        /// The greatest.
        max: usize,
        /// What the page offers on a slider; any number between the ends is accepted.
        steps: &'static [usize],
    },
    /// Any whole number of 64 bits.
    Seed,
    /// Finite numbers.
    Number {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
    /// One of these: (value, label).
    Choice(&'static [(&'static str, &'static str)]),
    /// Some of these, at least one: (value, label).
    Set(&'static [(&'static str, &'static str)]),
    /// Yes or no, as `true` and `false`; `1` and `0` are read too.
    Flag,
    /// Blocks of the network, from 0 as files count them: `all`, or a list.
    Blocks,
    /// Free text.
    Text {
        /// The most characters.
        max_chars: usize,
    },
}

/// A knob's value, a variant for each kind of [`Range`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of [`Range::Integer`].
    Integer(usize),
    /// Of [`Range::Seed`].
    Seed(u64),
    /// Of [`Range::Number`], finite.
    Number(f64),
    /// The chosen option, by its value.
    Choice(String),
    /// The chosen options by their values, in the order of the range.
    Set(Vec<String>),
    /// Of [`Range::Flag`].
    Flag(bool),
    /// Of [`Range::Blocks`].
    Blocks(Blocks),
    /// Of [`Range::Text`], without white space at its ends.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Integer(n) => write!(f, "{n}"),
            Value::Seed(n) => write!(f, "{n}"),
            Value::Number(x) => write!(f, "{x}"),
            Value::Choice(s) | Value::Text(s) => f.write_str(s),
            Value::Set(items) => f.write_str(&items.join(",")),
            Value::Flag(on) => write!(f, "{on}"),
            Value::Blocks(blocks) => write!(f, "{blocks}"),
        }
    }
}

impl Knob {
    /// What most knobs are: shown at once, never empty.
    pub const PLAIN: Knob = Knob {
        name: "",
        formerly: None,
        label: "",
        help: "",
        range: Range::Flag,
        advanced: false,
        optional: false,
        shown_when: None,
    };

    /// Whether its values are numbers.
    pub fn is_number(&self) -> bool {
        matches!(self.range, Range::Integer { .. } | Range::Number { .. })
    }

    /// Reads a value from text and checks it against the range.
    pub fn parse(&self, text: &str) -> Result<Value, Fault> {
        self.range.parse(text).map_err(|expected| {
            let text = shorten(text.trim());
            Fault::new(self.name, format!("{} cannot be “{text}”: it takes {expected}.", self.label))
        })
    }
}

impl Blocks {
    /// The knob; PEFT's `layers_to_transform`.
    pub const KNOB: Knob = Knob {
        name: "layers",
        label: "Blocks",
        help: "In which blocks φ stands; addresses and files count them from 0.",
        range: Range::Blocks,
        advanced: true,
        ..Knob::PLAIN
    };
}

/// The values that a word of a set means: itself, or where it is another family's name of a module, the matrices in it
/// (`up_proj` is `fc1`, `query_key_value` is `q_proj`, `k_proj` and `v_proj`).
fn meant<'w>(word: &'w str, options: &[(&'static str, &str)]) -> Vec<&'w str> {
    let is_option = |value: &str| options.iter().any(|(of, _)| *of == value);
    if is_option(word) {
        return vec![word];
    }
    let modules = families::all().flat_map(|family| family.modules).find(|module| module.peft == word);
    let values = modules.into_iter().flat_map(|module| module.holds).map(|target| target.module());
    let values: Vec<&str> = values.filter(|value| is_option(value)).collect();
    if values.is_empty() { vec![word] } else { values }
}

impl Range {
    /// Reads a value from text; the error says what is expected instead (`a whole number from 1 to 64`).
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        match self {
            Range::Integer { min, max, .. } => match text.parse::<usize>() {
                Ok(n) if (*min..=*max).contains(&n) => Ok(Value::Integer(n)),
                _ => Err(format!("a whole number from {min} to {max}")),
            },
            Range::Seed => text.parse().map(Value::Seed).map_err(|_| "a whole number".to_string()),
            Range::Number { min, max } => match text.parse::<f64>() {
                Ok(x) if x.is_finite() && (*min..=*max).contains(&x) => Ok(Value::Number(x)),
                _ => Err(format!("a number from {min} to {max}")),
            },
            Range::Choice(options) => match options.iter().find(|(value, _)| *value == text) {
                Some((value, _)) => Ok(Value::Choice(value.to_string())),
                None => Err(format!("one of {}", values(options))),
            },
            Range::Set(options) => {
                let wanted = text.split(',').map(str::trim).filter(|s| !s.is_empty());
                let wanted: Vec<&str> = wanted.flat_map(|word| meant(word, options)).collect();
                let known = wanted.iter().all(|w| options.iter().any(|(value, _)| value == w));
                if wanted.is_empty() || !known {
                    return Err(format!("one or more of {}", values(options)));
                }
                // In the order of the options, so that one set has one spelling.
                let chosen = options.iter().filter(|(value, _)| wanted.contains(value));
                Ok(Value::Set(chosen.map(|(value, _)| value.to_string()).collect()))
            }
            Range::Flag => match text {
                "true" | "1" => Ok(Value::Flag(true)),
                "false" | "0" => Ok(Value::Flag(false)),
                _ => Err("true or false".into()),
            },
            Range::Blocks => match Blocks::parse(text) {
                Some(blocks) => Ok(Value::Blocks(blocks)),
                None => Err("“all” or block numbers from 0, like 0,2,3".into()),
            },
            Range::Text { max_chars } => match text.chars().count() <= *max_chars {
                true => Ok(Value::Text(text.to_string())),
                false => Err(format!("at most {max_chars} characters")),
            },
        }
    }
}

/// The place of a value among a knob's options; the first where it is none of them.
pub fn place_of(options: &[(&str, &str)], value: &str) -> usize {
    options.iter().position(|(v, _)| *v == value).unwrap_or(0)
}

fn values(options: &[(&str, &str)]) -> String {
    options.iter().map(|(value, _)| *value).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANK: Knob =
        Knob { name: "rank", label: "Rank", range: Range::Integer { min: 1, max: 64, steps: &[1, 2] }, ..Knob::PLAIN };
    const MODULES: Knob = Knob {
        name: "target_modules",
        label: "On",
        range: Range::Set(&[("q_proj", "Q"), ("v_proj", "V")]),
        ..Knob::PLAIN
    };

    #[test]
    fn matrices_are_chosen_by_any_family_s_names() {
        let range = crate::peft::matrices::TARGETS.range;
        let set = |text: &str| range.parse(text).map(|value| value.to_string());
        assert_eq!(set("q_proj,up_proj"), Ok("q_proj,fc1".into()));
        assert_eq!(set("query_key_value, dense"), Ok("q_proj,k_proj,v_proj,out_proj".into()));
        assert_eq!(set("mlp.c_fc"), Ok("fc1".into()));
        assert_eq!(set("down_proj,gate_proj,fc2"), Ok("fc2,gate_proj".into()));
        assert!(set("w_q").is_err() && set("").is_err());
    }

    #[test]
    fn absurd_numbers_are_refused_with_the_limits() {
        for text in ["0", "65", "-1", "NaN", "1e3", "", "9999999999999999999999"] {
            let fault = RANK.parse(text).unwrap_err();
            assert!(fault.message.contains("from 1 to 64"), "{fault}");
        }
        assert_eq!(RANK.parse(" 4 ").unwrap(), Value::Integer(4));
    }

    #[test]
    fn a_set_has_one_spelling() {
        assert_eq!(MODULES.parse("v_proj,q_proj,q_proj").unwrap().to_string(), "q_proj,v_proj");
        assert!(MODULES.parse("q_proj,w_proj").is_err());
        assert!(MODULES.parse("").is_err());
    }
}
