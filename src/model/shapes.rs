//! How large the modules of a model are.

use super::{ModelConfig, ModulePath, ParamKind, Target};

impl Target {
    /// (inputs, outputs) of the matrix.
    pub fn shape(self, model: &ModelConfig) -> (usize, usize) {
        let (d, f) = (model.hidden_size, model.ffn_dim);
        match self {
            Target::Fc1 => (d, f),
            Target::Fc2 => (f, d),
            _ => (d, d),
        }
    }
}

impl ModulePath {
    /// Elements of one of the module's tensors, 0 for one that it lacks.
    pub fn elements(self, kind: ParamKind, model: &ModelConfig) -> u64 {
        let d = model.hidden_size as u64;
        match (self, kind) {
            (ModulePath::Tokens, ParamKind::Matrix) => model.vocab_size as u64 * d,
            (ModulePath::Positions, ParamKind::Matrix) => model.position_rows() as u64 * d,
            (ModulePath::Linear(_, target), ParamKind::Matrix) => {
                let (inputs, outputs) = target.shape(model);
                inputs as u64 * outputs as u64
            }
            (ModulePath::Linear(_, target), ParamKind::Bias) => target.shape(model).1 as u64,
            (
                ModulePath::AttentionNorm(_) | ModulePath::MlpNorm(_) | ModulePath::FinalNorm,
                ParamKind::Scale | ParamKind::Bias,
            ) => d,
            _ => 0,
        }
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
        let elements = |path: ModulePath| path.pieces().iter().map(|p| path.elements(*p, &model)).sum::<u64>();
        assert_eq!(ModulePath::all(3).map(elements).sum::<u64>(), model.parameters());
    }
}
