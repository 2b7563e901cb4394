//! Where φ stands in the drawing of the network, as plain data that the page draws.

use super::{Blocks, Shape};
use crate::model::{ModelConfig, Target};

/// A method's place in the drawing. Copies of θ's tensors ([`Method::copies`](super::Method::copies)) need no mark: the drawing
/// asks for them one by one.
pub trait Overlay {
    /// Everything φ adds to the drawing; empty for copies alone, and where there is no φ.
    fn marks(&self, shape: &Shape) -> Vec<Mark>;

    /// The shapes of φ in words, with `_{}` and `^{}` for subscripts and superscripts.
    fn shapes(&self, shape: &Shape) -> String;
}

/// A part of φ beside, in front of or around the frozen network.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// The head, untied from the token embedding.
    Head(HeadCopy),
    /// Updates beside chosen matrices.
    Update(Update),
    /// A factor for each dimension, at chosen matrices.
    Factors {
        /// The matrices.
        targets: Vec<Target>,
        /// Where they stand.
        blocks: Blocks,
    },
    /// What stands in front of the text.
    Front(Front),
    /// Keys and values in front of those of chosen blocks.
    Prefix(PrefixMark),
    /// Small networks after or beside sub-layers.
    Bottlenecks(Bottlenecks),
    /// A φ that moves the whole network from one spot.
    Everywhere(Everywhere),
}

/// What is trained of an untied head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadCopy {
    /// Every row.
    All,
    /// The rows of the task's labels.
    Labels,
}

/// Low-rank updates of chosen matrices: pairs of A (`rank` × inputs) and B (outputs × `rank`).
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Who they belong to (`LoRA`).
    pub method: &'static str,
    /// Letters of A and B of each pair; the products of several pairs are multiplied, element by element.
    pub pairs: &'static [[&'static str; 2]],
    /// r, rows of A and columns of B.
    pub rank: usize,
    /// The matrices that are updated.
    pub targets: Vec<Target>,
    /// Where they stand.
    pub blocks: Blocks,
    /// Whether the pairs are trained; else they are random and shared by all blocks.
    pub trained: bool,
    /// Trained vectors beside the pairs.
    pub bars: &'static [Bar],
}

/// A trained vector beside a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Its letter in the formula (`m`).
    pub letter: &'static str,
    /// What it is called (`lengths m`).
    pub name: &'static str,
    /// Its place in the drawing.
    pub beside: Beside,
}

/// What a vector stands beside, which gives its length too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// A and B: a number for each output.
    Both,
    /// A: a number for each of its `rank` rows.
    A,
    /// B: a number for each output.
    B,
}

/// What stands in front of the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    /// Virtual tokens; of a text nobody has counted.
    pub tokens: Option<usize>,
    /// What a person calls it.
    pub name: &'static str,
    /// Its shape in words (`20 × 64`).
    pub shape: String,
    /// Trained numbers; 0 for words that are given.
    pub elements: u64,
}

/// Keys and values in front of those of the chosen blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct PrefixMark {
    /// Keys of a block, and as many values.
    pub tokens: usize,
    /// Shape of the keys of a block in words (`20 × 64`).
    pub shape: String,
    /// Trained numbers of the keys of a block, and as many of the values.
    pub elements: u64,
    /// Where they stand.
    pub blocks: Blocks,
}

/// Bottlenecks of the chosen blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottlenecks {
    /// k, the numbers between the two matrices.
    pub width: usize,
    /// After attention.
    pub at_attention: bool,
    /// After the MLP, or beside it.
    pub at_mlp: bool,
    /// Beside the MLP instead of after it.
    pub parallel: bool,
    /// The name of σ.
    pub sigma: &'static str,
    /// Where they stand.
    pub blocks: Blocks,
}

/// A φ that moves the whole network from one spot.
#[derive(Clone, Debug, PartialEq)]
pub struct Everywhere {
    /// What is written on it, in a formula's marks.
    pub label: &'static str,
    /// What a person calls it.
    pub name: &'static str,
    /// Its shape in words.
    pub shape: String,
    /// Trained numbers.
    pub elements: u64,
    /// Whether its numbers exist besides θ's; else they move tensors of θ, which are drawn as moved.
    pub added: bool,
}

/// The shapes of what stands at chosen matrices, from (inputs, outputs): those of one shape share theirs, those that differ are
/// named.
pub fn of_matrices(targets: &[Target], model: &ModelConfig, shapes: impl Fn(usize, usize) -> String) -> String {
    let mut groups: Vec<((usize, usize), Vec<&str>)> = Vec::new();
    for target in targets {
        let size = target.shape(model);
        let label = target.label(model);
        match groups.iter_mut().find(|(s, _)| *s == size) {
            Some((_, labels)) => labels.push(label),
            None => groups.push((size, vec![label])),
        }
    }
    let several = groups.len() > 1;
    let group = |((inputs, outputs), labels): &((usize, usize), Vec<&str>)| {
        let of = if several { format!("{}: ", labels.join(", ")) } else { String::new() };
        format!("{of}{}", shapes(*inputs, *outputs))
    };
    groups.iter().map(group).collect::<Vec<_>>().join("; ")
}

/// The shapes of vectors, from the names of their places and how long they are: those of the first length need no name.
pub fn of_vectors<'a>(letters: &str, places: impl Iterator<Item = (&'a str, usize)>) -> String {
    let mut groups: Vec<(usize, Vec<&str>)> = Vec::new();
    for (label, length) in places {
        match groups.iter_mut().find(|(of, _)| *of == length) {
            Some((_, labels)) => labels.push(label),
            None => groups.push((length, vec![label])),
        }
    }
    let group = |(i, (length, labels)): (usize, &(usize, Vec<&str>))| match i {
        0 => format!("{letters} ∈ ℝ^{{{length}}}"),
        _ => format!("at {} ∈ ℝ^{{{length}}}", labels.join(", ")),
    };
    groups.iter().enumerate().map(group).collect::<Vec<_>>().join(", ")
}
