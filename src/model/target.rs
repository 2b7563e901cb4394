//! The matrices of a block that a method may choose.

/// A linear layer of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// W_Q, of the queries: `[d, d]`, as are the next three.
    Q,
    /// W_K, of the keys.
    K,
    /// W_V, of the values.
    V,
    /// W_O, which joins the heads' outputs.
    O,
    /// The MLP's first matrix, `[d, ffn_dim]`.
    Fc1,
    /// The MLP's second matrix, `[ffn_dim, d]`.
    Fc2,
}

impl Target {
    /// Every linear layer of a block, in the order of the forward pass.
    pub const ALL: [Target; 6] = [Target::Q, Target::K, Target::V, Target::O, Target::Fc1, Target::Fc2];

    /// (value of the knob `target_modules`, label on the page); the label's second part is a subscript.
    ///
    /// The values are the same for every family of models; what a family calls its modules says
    /// [`Family::module`](super::Family::module).
    pub const OPTIONS: [(&'static str, &'static str); 6] =
        [("q_proj", "W_Q"), ("k_proj", "W_K"), ("v_proj", "W_V"), ("out_proj", "W_O"), ("fc1", "fc1"), ("fc2", "fc2")];

    /// Its value in the knob `target_modules`.
    pub fn module(self) -> &'static str {
        Self::OPTIONS[self as usize].0
    }

    /// The linear layer of a knob's value.
    pub fn from_module(name: &str) -> Option<Target> {
        Self::ALL.into_iter().find(|t| t.module() == name)
    }
}
