//! Tuned rates that methods share. Those of [`Base::PRETRAINED`] are of few runs on a language model of 135 million
//! parameters.

use crate::bases::Base;

/// AdamW's peak rate for copies of whole matrices: the best of factors of 2 to 3.
pub fn of_copies(task: &str, base: &str) -> f64 {
    match (task, base) {
        (_, Base::PRETRAINED) => 2e-5,
        ("rules", _) => 5e-3,
        (_, "prose-micro") => 4e-4,
        (_, "prose-small") => 3e-4,
        _ => 7e-4,
    }
}

/// The same for scales and biases of LayerNorms: a few thousand numbers bear a higher rate than matrices.
pub fn of_norms(task: &str, base: &str) -> f64 {
    of(task, base, [2e-1, 1e-2, 1e-3])
}

/// The rate of strings, of texts, and of texts on large language models.
pub fn of(task: &str, base: &str, [strings, texts, pretrained]: [f64; 3]) -> f64 {
    match (task, base) {
        (_, Base::PRETRAINED) => pretrained,
        ("rules", _) => strings,
        _ => texts,
    }
}
