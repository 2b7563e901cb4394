//! An example as a task hands it to the trainer.

/// Tokens of which the last `answer` are predicted: by the loss in training, by arg max in evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// `[length]` token ids; the answer's tokens stand last.
    pub tokens: Vec<u32>,
    /// How many of the last tokens are predicted.
    pub answer: usize,
}
