//! The matrices of a block that a method may choose.

use super::ModelConfig;

/// A linear layer of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// W_Q, of the queries: `[d, heads · head_dim]`.
    Q,
    /// W_K, of the keys: `[d, key-value heads · head_dim]`, as the next.
    K,
    /// W_V, of the values.
    V,
    /// W_O, which joins the heads' outputs: `[heads · head_dim, d]`.
    O,
    /// The MLP's first matrix, `[d, ffn_dim]`; a gated one's `up`.
    Fc1,
    /// The MLP's last matrix, `[ffn_dim, d]`; a gated one's `down`.
    Fc2,
    /// The matrix of a gated MLP's gate, `[d, ffn_dim]`.
    Gate,
}

impl Target {
    /// Every linear layer that a block may have.
    pub const ALL: [Target; 7] = [Target::Q, Target::K, Target::V, Target::O, Target::Fc1, Target::Fc2, Target::Gate];

    /// The linear layers of a block whose MLP has no gate.
    pub const UNGATED: [Target; 6] = [Target::Q, Target::K, Target::V, Target::O, Target::Fc1, Target::Fc2];

    /// The linear layers of a model's blocks.
    pub fn of(model: &ModelConfig) -> &'static [Target] {
        if model.gated { &Self::ALL } else { &Self::UNGATED }
    }

    /// (value of the knob `target_modules`, label on the page); the label's second part is a subscript.
    ///
    /// The values are the same for every family of models; what a family calls its modules says
    /// [`Family::module`](super::Family::module).
    pub const OPTIONS: [(&'static str, &'static str); 7] = [
        ("q_proj", "W_Q"),
        ("k_proj", "W_K"),
        ("v_proj", "W_V"),
        ("out_proj", "W_O"),
        ("fc1", "fc1"),
        ("fc2", "fc2"),
        ("gate_proj", "gate"),
    ];

    /// What a person calls it in a model: in a gated MLP the first matrix is `up` and the last `down`.
    pub fn label(self, model: &ModelConfig) -> &'static str {
        match self {
            Target::Fc1 if model.gated => "up",
            Target::Fc2 if model.gated => "down",
            _ => Self::OPTIONS[self as usize].1,
        }
    }

    /// Its value in the knob `target_modules`.
    pub fn module(self) -> &'static str {
        Self::OPTIONS[self as usize].0
    }

    /// The linear layer of a knob's value.
    pub fn from_module(name: &str) -> Option<Target> {
        Self::ALL.into_iter().find(|t| t.module() == name)
    }
}
