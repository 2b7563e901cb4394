//! How large the modules of a model are.

use super::{ModelConfig, ModulePath, ParamKind, Target};

impl Target {
    /// (inputs, outputs) of the matrix.
    pub fn shape(self, model: &ModelConfig) -> (usize, usize) {
        let (d, f) = (model.hidden_size, model.ffn_dim);
        match self {
            Target::Q => (d, model.query_width()),
            Target::K | Target::V => (d, model.key_value_width()),
            Target::O => (model.query_width(), d),
            Target::Fc1 | Target::Gate => (d, f),
            Target::Fc2 => (f, d),
        }
    }
}

impl ModulePath {
    /// Elements of one of the module's tensors, 0 for one that it lacks.
    pub fn elements(self, kind: ParamKind, model: &ModelConfig) -> u64 {
        if !self.pieces(model).contains(&kind) {
            return 0;
        }
        let d = model.hidden_size as u64;
        match self {
            ModulePath::Tokens | ModulePath::Head => model.vocab_size as u64 * d,
            ModulePath::Positions => model.position_rows() as u64 * d,
            ModulePath::Linear(_, target) => {
                let (inputs, outputs) = target.shape(model);
                outputs as u64 * if kind == ParamKind::Matrix { inputs as u64 } else { 1 }
            }
            ModulePath::AttentionNorm(_) | ModulePath::MlpNorm(_) | ModulePath::FinalNorm => d,
            ModulePath::QueryNorm(_) | ModulePath::KeyNorm(_) => model.head_dim as u64,
        }
    }

    /// Elements of all the module's tensors.
    pub fn parameters(self, model: &ModelConfig) -> u64 {
        self.pieces(model).iter().map(|kind| self.elements(*kind, model)).sum()
    }
}

/// Parameters of a base from which on it is large: evaluations are rationed, and θ stays as small as its file.
/// Below, all of either takes seconds.
const LARGE: u64 = 20_000_000;

/// Whether a base of so many parameters is so large that time and memory are counted.
pub fn is_large(parameters: u64) -> bool {
    parameters >= LARGE
}

/// Whether a φ of so many numbers is small beside θ: a second one weighs little.
pub fn is_small_beside(phi: u64, theta: u64) -> bool {
    10 * phi <= theta
}

impl ModelConfig {
    /// Whether it is [large](is_large).
    pub fn is_large(&self) -> bool {
        is_large(self.parameters())
    }

    /// Parameters of one block.
    pub fn block_parameters(&self) -> u64 {
        ModulePath::of_block(0, self).map(|path| path.parameters(self)).sum()
    }

    /// All parameters as Hugging Face counts them: a tied head once, the unused rows of a position table
    /// included.
    pub fn parameters(&self) -> u64 {
        let outside = ModulePath::outside_blocks(self).map(|path| path.parameters(self)).sum::<u64>();
        outside + self.num_hidden_layers as u64 * self.block_parameters()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activation, Sizes};

    #[test]
    fn the_tensors_of_all_modules_are_all_of_theta() {
        let sizes = Sizes {
            vocab_size: 23,
            max_position_embeddings: 24,
            hidden_size: 16,
            ffn_dim: 40,
            num_hidden_layers: 3,
            num_attention_heads: 2,
        };
        let model = ModelConfig::native(sizes, Activation::Relu);
        assert_eq!(ModulePath::all(&model).map(|path| path.parameters(&model)).sum::<u64>(), model.parameters());
    }
}
