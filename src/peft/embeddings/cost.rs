//! What it costs, as shapes.

use super::Embeddings;
use crate::model::{Hook, ModelConfig};
use crate::peft::{Cost, whole_tensors};
use crate::trace::{Tape, Var};

impl Cost for Embeddings {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        whole_tensors::trace(self, hook, model, tape)
    }
}
