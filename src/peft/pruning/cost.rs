//! What it costs, as shapes.

use super::Pruning;
use crate::model::{Hook, ModelConfig, ModulePath, ParamKind};
use crate::peft::{Cost, whole_tensors};
use crate::trace::{Tape, Var};

impl Cost for Pruning {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let copy = whole_tensors::trace(self, hook, model, tape)?;
        match hook {
            Hook::Weight(place @ ModulePath::Linear(..), ParamKind::Matrix, theta) => {
                let mask = tape.constant(&format!("mask {}", place.key()), theta.elements);
                Some(tape.multiply(copy, mask))
            }
            _ => Some(copy),
        }
    }
}
