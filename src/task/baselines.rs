//! What a task scores without a transformer.

/// Numbers a run is judged against.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Baselines {
    /// Guessing uniformly among the answers.
    pub chance: f64,
    /// Always the commonest answer of the training examples.
    pub majority: f64,
    /// A linear model on a bag of words (of letters, for strings).
    pub bag_of_words: f64,
}
