//! What it costs, as shapes.

use super::{Adapter, NonLinearity, Placement};
use crate::model::{Hook, ModelConfig, Sublayer};
use crate::peft::Cost;
use crate::trace::{Keeps, Tape, Var};

impl Cost for Adapter {
    fn trace(&self, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let Hook::After { block, sublayer, input, y, rows } = hook else { return None };
        let placed = match sublayer {
            Sublayer::Attention => self.placement.at_attention(),
            Sublayer::Mlp => self.placement.at_mlp(),
        };
        let wanted = placed && self.layers.list(model.num_hidden_layers).contains(&block);
        wanted.then(|| {
            let (d, k) = (model.hidden_size, self.bottleneck);
            let name = format!("{block} {sublayer:?}");
            let x = if self.placement == Placement::Parallel { input } else { y };
            let inner = tape.layer(&format!("{name} down"), x, rows, (d, k));
            let inner = match self.non_linearity {
                NonLinearity::Relu => tape.relu(inner),
                NonLinearity::Tanh => tape.activation(inner, Keeps::Output, 4),
                NonLinearity::GeluNew | NonLinearity::Silu => tape.activation(inner, Keeps::Input, 8),
            };
            let change = tape.layer(&format!("{name} up"), inner, rows, (k, d));
            let change = if self.scaling == 1.0 { change } else { tape.activation(change, Keeps::Nothing, 1) };
            tape.add(y, change)
        })
    }
}
