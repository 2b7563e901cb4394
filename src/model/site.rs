//! Where a φ may step in: methods that share no site can be trained together.

use super::{ModulePath, ParamKind};

/// A spot of the network where a φ may step in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// A tensor of θ that φ changes or stands in for.
    Weight(ModulePath, ParamKind),
    /// The head, untied from the token embedding.
    Head,
    /// What stands in front of the text.
    Prompt,
    /// Keys and values in front of those of a block.
    Prefix(usize),
    /// What follows attention of a block, or stands beside it.
    Attention(usize),
    /// What follows the MLP of a block, or stands beside it.
    Mlp(usize),
}

impl Site {
    /// What a person calls it.
    pub fn title(self) -> String {
        match self {
            Site::Weight(path, ParamKind::Bias) => format!("the bias of {}", path.title().trim_start_matches("the ")),
            Site::Weight(path, _) => path.title(),
            Site::Head => "the head".into(),
            Site::Prompt => "the front of the text".into(),
            Site::Prefix(block) => format!("keys and values of block {}", block + 1),
            Site::Attention(block) => format!("what attention of block {} gives", block + 1),
            Site::Mlp(block) => format!("what the MLP of block {} gives", block + 1),
        }
    }
}
