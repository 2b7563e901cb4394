//! A sparse mask with a pencil: W = W₀ + m ⊙ Δ, where m has k ones.

use super::{Sparse, weights};
use crate::kernels::linear;
use crate::model::{ModulePath, Target};
use crate::peft::{Mask, MethodConfig, toy};

#[test]
fn the_weights_with_the_largest_scores_are_trained() {
    let theta = toy::theta();
    // Weights are counted through all matrices: 3·2 of the tokens, 10·2 of the positions, 4·4 of attention.
    // Then come fc1's, down its columns: 42 is W₁₁, 43 is W₂₁, 44 is W₁₂, 45 is W₂₂.
    let mut scores = vec![0.0; weights(&theta.config) as usize];
    (scores[42], scores[43], scores[44], scores[45]) = (0.5, 0.9, 0.8, 0.1);
    let start = toy::Start { scores: Some(scores), ..toy::Start::default() };
    let config = Sparse { num_weights: 2, mask: Mask::Fisher };
    let phi = toy::phi(&theta, MethodConfig::Sparse(config), start);

    // k = 2: the largest are 0.9 of W₂₁ and 0.8 of W₁₂. Δ has a number for each, in the order of the count.
    assert_eq!(toy::part(&phi).chosen(), Some(vec![43, 44]));
    let phi = phi.filled(vec![vec![1.0, -1.0]]);

    // W = (1 2; 3 4) + (0 −1; 1 0) = (1 1; 4 4)
    let fc1 = &theta.weights.blocks[0].fc1;
    let w = toy::part(&phi).matrix(ModulePath::Linear(0, Target::Fc1), &fc1.weight).unwrap();
    assert_eq!(toy::numbers(w.clone()), toy::down_columns([[1.0, 1.0], [4.0, 4.0]]));
    // A matrix without a chosen weight stays θ's.
    assert!(toy::part(&phi).matrix(ModulePath::Linear(0, Target::Fc2), &fc1.weight).is_none());

    // h = Wx = (1·1 + 1·2, 4·1 + 4·2) = (3, 12)
    let h = linear(toy::token([1.0, 2.0]), w, None);
    assert_eq!(toy::numbers(h.clone()), [3.0, 12.0]);

    // Of h·xᵀ = (3·1 3·2; 12·1 12·2) the mask leaves what belongs to W₂₁ and W₁₂: 12·1 and 3·2.
    assert_eq!(toy::gradients(&phi, toy::loss(h)), [[12.0, 6.0]]);
}
