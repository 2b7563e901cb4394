//! The visitor's own example.

use crate::protocol::Prediction;
use crate::task::user_data::cut_text;

/// What was typed and what came back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TryIt {
    /// What is typed.
    pub text: String,
    /// An answer is on its way.
    pub waiting: bool,
    /// What θ alone and θ with φ answer.
    pub answer: Option<Prediction>,
    /// Why the text cannot be answered.
    pub fault: Option<String>,
    /// The text that was asked; kept, so that its answer follows the training.
    pub(in crate::ui::state) asked: Option<String>,
}

impl TryIt {
    /// That only a part of the text was read, as a sentence; `None` where all of it was, or nothing is answered.
    pub fn cut(&self) -> Option<String> {
        let cut = self.answer.as_ref()?.cut?;
        cut_text(cut.tokens, cut.read)
    }
}
