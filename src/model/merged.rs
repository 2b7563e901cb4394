//! φ folded into θ.

use super::layers::{LayerNorm, Linear};
use super::{Block, Compositions, LinearAt, Model, ModulePath, Target, Weights};
use burn::module::Param;

impl Model {
    /// A network with φ folded into its weights, which answers as θ with φ does. θ itself stays as it is, so
    /// that unmerging is going back to it, exactly. Only for methods of which `MethodInfo::merges` says so.
    /// φ is one that does not track gradients: the network that it gives is a network to ask, not to train.
    pub fn merged(&self, phi: &dyn Compositions) -> Model {
        let norm = |path: ModulePath, theta: &LayerNorm| LayerNorm {
            scale: Param::from_tensor(phi.scale(path, theta.scale.val())),
            bias: Param::from_tensor(phi.bias(path, theta.bias.val())),
        };
        let blocks = self.weights.blocks.iter().enumerate().map(|(block, theta)| {
            let folded = |target: Target| {
                let (linear, path) = (theta.linear(target), ModulePath::Linear(block, target));
                let weight = &phi.matrix(path, linear.weight.val());
                let bias = &phi.bias(path, linear.bias.val());
                let (weight, bias) = phi.merged(LinearAt { block, target, weight, bias });
                Linear { weight: Param::from_tensor(weight), bias: Param::from_tensor(bias) }
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
            }
        });
        let weights = Weights {
            tokens: Param::from_tensor(phi.matrix(ModulePath::Tokens, self.weights.tokens.val())),
            positions: Param::from_tensor(phi.matrix(ModulePath::Positions, self.weights.positions.val())),
            blocks: blocks.collect(),
            final_norm: norm(ModulePath::FinalNorm, &self.weights.final_norm),
        };
        Model { config: self.config.clone(), weights }
    }
}
