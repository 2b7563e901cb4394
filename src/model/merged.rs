//! φ folded into θ.

use super::layers::NormTensors;
use super::weights::HeadNorms;
use super::{Block, Compositions, Frozen, LinearAt, Matrix, Model, ModulePath, Target, Weights};
use burn::module::Param;
use burn::tensor::Tensor;

impl Model {
    /// A network with φ folded into its weights, which answers as θ with φ does. θ itself stays as it is, so
    /// that unmerging is going back to it, exactly. Only for methods of which `MethodInfo::merges` says so.
    /// φ is one that does not track gradients: the network that it gives is a network to ask, not to train.
    pub fn merged(&self, phi: &dyn Compositions) -> Model {
        let bias = |path: ModulePath, theta: &Option<Param<Tensor<1>>>| {
            theta.as_ref().map(|theta| Param::from_tensor(phi.bias(path, theta.val())))
        };
        let norm = |path: ModulePath, theta: &NormTensors| NormTensors {
            scale: Param::from_tensor(phi.scale(path, theta.scale.val())),
            bias: bias(path, &theta.bias),
        };
        let matrix = |path, theta: &Matrix| phi.matrix(path, theta.clone());
        let blocks = self.weights.blocks.iter().enumerate().map(|(block, theta)| {
            let folded = |target: Target| {
                let (linear, path) = (theta.linear(target), ModulePath::Linear(block, target));
                let weight = &phi.matrix(path, linear.weight.clone());
                let bias = linear.bias().map(|bias| phi.bias(path, bias));
                let (weight, bias) = phi.merged(LinearAt { block, target, weight, bias: bias.as_ref() });
                Frozen { weight, bias: bias.map(Param::from_tensor) }
            };
            Block {
                attention_norm: norm(ModulePath::AttentionNorm(block), &theta.attention_norm),
                q: folded(Target::Q),
                k: folded(Target::K),
                v: folded(Target::V),
                out: folded(Target::O),
                mlp_norm: norm(ModulePath::MlpNorm(block), &theta.mlp_norm),
                fc1: folded(Target::Fc1),
                fc2: folded(Target::Fc2),
                gate: theta.gate.as_ref().map(|_| folded(Target::Gate)),
                head_norms: theta.head_norms.as_ref().map(|heads| HeadNorms {
                    queries: norm(ModulePath::QueryNorm(block), &heads.queries),
                    keys: norm(ModulePath::KeyNorm(block), &heads.keys),
                }),
            }
        });
        let theta = &self.weights;
        let weights = Weights {
            tokens: matrix(ModulePath::Tokens, &theta.tokens),
            positions: theta.positions.clone().map(|own| phi.matrix(ModulePath::Positions, own.into()).dense()),
            blocks: blocks.collect(),
            final_norm: norm(ModulePath::FinalNorm, &theta.final_norm),
            head: theta.head.as_ref().map(|head| matrix(ModulePath::Head, head)),
        };
        Model { config: self.config.clone(), weights }
    }
}
