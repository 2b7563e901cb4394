//! The Python that does what a method does: a real `.py` in its folder, whose capitals stand for the knobs' values.

use super::{Blocks, Shape};
use crate::model::{ModelConfig, ModulePath, Target};

/// What a method's Python may depend on besides its knobs.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    /// The base and the number of labels.
    pub shape: &'a Shape,
    /// Whether no other method trains with it.
    pub alone: bool,
}

/// A method's part of a script. `model` is transformers' model, `base` the same inside of what peft has wrapped around it,
/// `extra` lists parameters outside of it, `apply(ids, mask)` gives logits.
pub trait Python {
    /// With peft where it has the method.
    fn python(&self, script: &Script<'_>) -> String;

    /// The same without peft, which holds one method only; `None` where [`python`](Self::python) does without.
    fn python_without_peft(&self, script: &Script<'_>) -> Option<String>;

    /// Of several methods that peft has, the one with the most to write out is wrapped: a number for how much that is.
    fn wrapped_first(&self) -> u8 {
        0
    }
}

impl Script<'_> {
    /// The base's shape.
    pub fn model(&self) -> &ModelConfig {
        &self.shape.model
    }

    /// `layers_to_transform=[0, 2]`; nothing for all blocks.
    pub fn blocks_to_transform(&self, blocks: &Blocks) -> String {
        match blocks.is_all() {
            true => String::new(),
            false => format!("layers_to_transform={:?}", blocks.list(self.model().num_hidden_layers)),
        }
    }

    /// Paths of chosen modules, as a Python list.
    pub fn paths(&self, targets: &[Target], blocks: &Blocks) -> String {
        let blocks = blocks.list(self.model().num_hidden_layers).into_iter();
        let paths = blocks.flat_map(|block| targets.iter().map(move |t| ModulePath::Linear(block, *t).key()));
        format!("{:?}", paths.collect::<Vec<_>>())
    }
}

/// Names of modules as a Python list.
pub fn modules(targets: &[Target]) -> String {
    format!("{:?}", targets.iter().map(|t| t.module()).collect::<Vec<_>>())
}

/// A template with values in the place of its names. `**NAME` stands for further arguments, which may be none.
pub fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut text = template.to_string();
    for (name, value) in values.iter().filter(|(name, _)| name.starts_with("**")) {
        let value = if value.is_empty() { String::new() } else { format!(", {value}") };
        text = text.replace(&format!(", {name}"), &value);
    }
    let mut out = String::with_capacity(text.len());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = text.as_str();
    while let Some(start) = rest.find(is_word) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_word(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(values.iter().find(|(name, _)| *name == word).map_or(word, |(_, value)| value));
        rest = after;
    }
    out + rest
}

/// Further arguments, those that are there.
pub fn arguments(all: &[String]) -> String {
    all.iter().filter(|a| !a.is_empty()).cloned().collect::<Vec<_>>().join(", ")
}

/// Virtual tokens in front of the text, which `prompt()` gives.
pub const VECTORS_IN_FRONT: &str = include_str!("vectors_in_front.py");

/// The tokens of `TEXT` in front of every text, behind what begins it.
pub const TOKENS_IN_FRONT: &str = include_str!("tokens_in_front.py");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_are_filled_in_and_arguments_may_be_none() {
        let template = "f(r=RANK, RANKS, **OPTIONS)";
        assert_eq!(fill(template, &[("RANK", "4".into()), ("**OPTIONS", String::new())]), "f(r=4, RANKS)");
        assert_eq!(fill(template, &[("RANK", "4".into()), ("**OPTIONS", "a=1".into())]), "f(r=4, RANKS, a=1)");
    }
}
