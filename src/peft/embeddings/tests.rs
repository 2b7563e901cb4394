//! Embeddings with a pencil: a token's vector is read at the input and again at the head.

use super::{Embeddings, Tables};
use crate::kernels::linear;
use crate::model::{ModulePath, Target};
use crate::peft::{MethodConfig, toy};
use burn::tensor::{Device, Int, Tensor};

#[test]
fn a_trained_vector_moves_the_input_and_the_head() {
    let theta = toy::theta();
    let e = [0.0, 0.0, 1.0, 1.0, 0.0, 2.0];
    let config = Embeddings { tables: Tables::Tokens };
    let phi = toy::filled(&theta, MethodConfig::Embeddings(config), &[&e]);
    let part = toy::part(&phi);

    // E = (0 0; 1 1; 0 2) stands in for the token embedding, and so for the head, which is the same matrix.
    let e = part.matrix(ModulePath::Tokens, &theta.weights.tokens).unwrap();
    assert!(part.head(&e.clone().into()).is_none());
    // Positions and the network that reads the vectors stay θ's.
    assert!(part.matrix(ModulePath::Positions, &theta.weights.positions.clone().unwrap().into()).is_none());
    let q = &theta.weights.blocks[0].q.weight;
    assert!(part.matrix(ModulePath::Linear(0, Target::Q), q).is_none());

    // Token 1 goes in and nothing happens to it: x = E₁ = (1, 1).
    // The logit of token 2 is E₂·x = 0·1 + 2·1 = 2.
    let ids = Tensor::<1, Int>::from_data([1], &Device::flex());
    let x = e.clone().select(0, ids);
    let logits = linear(x, e.transpose(), None);
    assert_eq!(toy::numbers(logits.clone()), [0.0, 2.0, 2.0]);

    // E₂·E₁ has the slope E₂ = (0, 2) in E₁, by way of the input, and E₁ = (1, 1) in E₂, by way of the head.
    let logit = logits.slice([0..1, 2..3]).sum();
    assert_eq!(toy::gradients(&phi, logit), [[0.0, 0.0, 0.0, 2.0, 1.0, 1.0]]);
}
