//! The Python that does what a method does: a real `.py` in its folder, whose capitals stand for the knobs' values.

use super::{Blocks, Shape};
use crate::model::{Family, ModelConfig, ModulePath, Target, within};

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

    /// What the base's family calls its parts.
    pub fn family(&self) -> &'static Family {
        self.model().family()
    }

    /// `layers_to_transform=[0, 2]`; nothing for all blocks.
    pub fn blocks_to_transform(&self, blocks: &Blocks) -> String {
        match blocks.is_all() {
            true => String::new(),
            false => format!("layers_to_transform={:?}", blocks.list(self.model().num_hidden_layers)),
        }
    }

    /// Names of modules, as PEFT's `target_modules` has them, as a Python list.
    pub fn modules(&self, targets: &[Target]) -> String {
        let named = targets.iter().filter_map(|target| self.family().module(*target));
        format!("{:?}", named.map(|module| module.peft).collect::<Vec<_>>())
    }

    /// Whether peft would change more than the chosen matrices: another one shares a module with one of them.
    pub fn joins(&self, targets: &[Target]) -> bool {
        let mut modules = targets.iter().filter_map(|target| self.family().module(*target));
        modules.any(|module| module.holds.len() > 1)
    }

    /// A block's matrix as [`MATRIX`] takes it: `"model.layers.0.self_attn.q_proj"`, and for one of several in
    /// a module how they lie in it.
    pub fn place(&self, block: usize, target: Target) -> String {
        let (model, family) = (self.model(), self.family());
        let path = format!("{:?}", family.key(ModulePath::Linear(block, target)));
        match family.module(target).filter(|module| module.holds.len() > 1) {
            Some(module) => {
                let nth = module.holds.iter().position(|held| *held == target).unwrap_or_default();
                format!("{path}, {}, {}, {nth}", module.turns(model), module.holds.len())
            }
            None => path,
        }
    }

    /// The places of chosen matrices, as a Python list of tuples.
    pub fn places(&self, targets: &[Target], blocks: &Blocks) -> String {
        let blocks = blocks.list(self.model().num_hidden_layers).into_iter();
        let places = blocks.flat_map(|block| targets.iter().map(move |target| self.place(block, *target)));
        format!("[{}]", places.map(|place| format!("({place},)")).collect::<Vec<_>>().join(", "))
    }

    /// The list of blocks, as an attribute of the model.
    pub fn block_list(&self) -> String {
        within(self.family().decoder, self.family().blocks)
    }

    /// The module of a matrix, as an attribute of its block.
    pub fn in_block(&self, target: Target) -> String {
        self.family().module(target).map_or(target.module(), |module| module.path).into()
    }

    /// What a script needs before its methods: what their Python asks for and does not define.
    pub fn needs(&self, methods: &str) -> String {
        match methods.contains("matrix(*place)") {
            true => fill(
                MATRIX,
                &[("WEIGHT", if self.family().fan_in_fan_out { "module.weight.T" } else { "module.weight" }.into())],
            ),
            false => String::new(),
        }
    }
}

/// Where a matrix of a block stands in transformers' model.
const MATRIX: &str = include_str!("matrix.py");

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
