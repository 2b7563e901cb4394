//! What it costs, as shapes.

use super::{Ia3, width};
use crate::model::{Hook, ModelConfig, ModulePath, Target};
use crate::peft::Cost;
use crate::trace::{Tape, Var};

impl Cost for Ia3 {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let (at, x) = match hook {
            Hook::Input(at, x) if at.target == Target::Fc2 => (at, x),
            Hook::Update { at, y, .. } if at.target != Target::Fc2 => (at, y),
            _ => return None,
        };
        let wanted =
            self.target_modules.contains(&at.target) && self.layers.list(model.num_hidden_layers).contains(&at.block);
        wanted.then(|| {
            let factor = tape.phi(&ModulePath::Linear(at.block, at.target).key(), width(at.target, model) as u64);
            tape.multiply(x, factor)
        })
    }
}
