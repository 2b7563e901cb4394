//! What methods with virtual tokens share.

use super::{Knob, Range, Shape};
use crate::base::Fault;

/// The knob of the MLP's width, which writes prompt or prefix.
pub const HIDDEN: Knob = Knob {
    name: "encoder_hidden_size",
    label: "Hidden size",
    help: "h, the width of the MLP; it folds away after training.",
    range: Range::Integer { min: 1, max: 4096, steps: &[8, 16, 32, 64, 128, 256] },
    ..Knob::PLAIN
};

/// What to try where virtual tokens learnt nothing that the base could do.
pub const SLOW: &str = "Virtual tokens learn slowly at first. Try more steps, a higher rate or more of them; LoRA or an adapter get further on a base this small.";

/// What stands in front of a text must leave it its positions.
pub fn check_room(what: &str, n: usize, shape: &Shape, task_tokens: usize) -> Result<(), Fault> {
    let context = shape.model.max_position_embeddings;
    let room = context.saturating_sub(task_tokens);
    if n <= room {
        return Ok(());
    }
    let message = format!(
        "A {what} of {n} tokens does not fit: this base reads {context} positions and the task needs {task_tokens} of them. At most {room} are left."
    );
    Err(Fault::new("num_virtual_tokens", message))
}
