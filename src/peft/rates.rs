//! Tuned rates that methods share.

/// AdamW's peak rate for copies of whole matrices: the best of factors of 2 to 3.
pub fn of_copies(task: &str, base: &str) -> f64 {
    match (task, base) {
        ("rules", _) => 5e-3,
        (_, "prose-micro") => 4e-4,
        (_, "prose-small") => 3e-4,
        _ => 7e-4,
    }
}

/// The same for scales and biases of LayerNorms: a few thousand numbers bear a higher rate than matrices.
pub fn of_norms(task: &str) -> f64 {
    if task == "rules" { 2e-1 } else { 1e-2 }
}
