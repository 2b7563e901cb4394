//! What it costs, as shapes.

use super::BitFit;
use crate::model::{Hook, ModelConfig};
use crate::peft::Cost;
use crate::peft::cost::trace_copies;
use crate::trace::{Tape, Var};

impl Cost for BitFit {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        trace_copies(self, hook, model, tape)
    }
}
