//! The matrices of a block that a method may choose.

/// A linear layer of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    Q,
    K,
    V,
    O,
    Fc1,
    Fc2,
}

impl Target {
    pub const ALL: [Target; 6] = [Target::Q, Target::K, Target::V, Target::O, Target::Fc1, Target::Fc2];

    /// (value in `target_modules`, label on the page); the label's second part is a subscript.
    pub const OPTIONS: [(&'static str, &'static str); 6] =
        [("q_proj", "W_Q"), ("k_proj", "W_K"), ("v_proj", "W_V"), ("out_proj", "W_O"), ("fc1", "fc1"), ("fc2", "fc2")];

    /// Hugging Face's name of the module.
    pub fn module(self) -> &'static str {
        Self::OPTIONS[self as usize].0
    }

    pub fn from_module(name: &str) -> Option<Target> {
        Self::ALL.into_iter().find(|t| t.module() == name)
    }

    /// (inputs, outputs) of the matrix.
    pub fn shape(self, model: &crate::model::ModelConfig) -> (usize, usize) {
        let (d, f) = (model.hidden_size, model.ffn_dim);
        match self {
            Target::Fc1 => (d, f),
            Target::Fc2 => (f, d),
            _ => (d, d),
        }
    }
}
