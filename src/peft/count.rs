//! Closed-form counts of φ, with the sum behind them.

use crate::base::grouped;
use crate::model::ModelConfig;

/// All that a count depends on: the base's shape and the number of the task's labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The base.
    pub model: ModelConfig,
    /// Tokens among which the task's answers are chosen.
    pub labels: usize,
}

/// One product of a count, written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What it counts, in words (`A and B of each matrix`).
    pub what: String,
    /// The product in factors with their units (`4 blocks × 2 matrices × 4 × (64 + 64)`).
    pub product: String,
    /// The product's value, in elements.
    pub value: u64,
}

/// The elements of φ as a sum of products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// None where nothing is trained.
    pub terms: Vec<Term>,
}

impl Count {
    /// The sum of these products.
    pub fn new(terms: impl IntoIterator<Item = Term>) -> Count {
        Count { terms: terms.into_iter().collect() }
    }

    /// Elements of φ.
    pub fn total(&self) -> u64 {
        self.terms.iter().map(|t| t.value).sum()
    }

    /// The whole sum on one line (`4 blocks × 2 matrices × 4 × (64 + 64)`).
    pub fn sum(&self) -> String {
        self.terms.iter().map(|t| t.product.as_str()).collect::<Vec<_>>().join(" + ")
    }
}

/// Sizes as factors of a count. A count is 64 bits wide everywhere: in a browser `usize` has 32, and 6.7 billion
/// parameters do not fit.
pub fn factors<const N: usize>(sizes: [usize; N]) -> [u64; N] {
    sizes.map(|n| n as u64)
}

impl Term {
    /// `product` writes out in factors what `value` is.
    pub fn new(what: impl Into<String>, product: impl Into<String>, value: u64) -> Term {
        Term { what: what.into(), product: product.into(), value }
    }
}

/// Hugging Face PEFT's line: `trainable params: 4,096 || all params: 209,664 || trainable%: 1.9536`.
pub fn trainable_line(trainable: u64, all: u64) -> String {
    let percent = 100.0 * trainable as f64 / all as f64;
    format!("trainable params: {} || all params: {} || trainable%: {percent:.4}", grouped(trainable), grouped(all))
}
