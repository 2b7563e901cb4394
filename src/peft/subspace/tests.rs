//! A subspace with a pencil: θ + Pφ, where all of θ moves along d directions, the columns of P.

use super::{Projection, Subspace};
use crate::kernels::linear;
use crate::model::{ModulePath, ParamKind, Target};
use crate::peft::{MethodConfig, toy};

#[test]
fn theta_moves_along_the_columns_of_p() {
    let theta = toy::theta();
    let config = Subspace { intrinsic_dimension: 2, projection: Projection::Dense };
    let mut phi = toy::filled(&theta, MethodConfig::Subspace(config), &[&[1.0, 2.0]]);

    // P is given instead of drawn. φ₁ moves W₁₁ and W₂₂ together, φ₂ moves W₁₂.
    // A row for each weight of fc1, down its columns: W₁₁, W₂₁, W₁₂, W₂₂.
    let place = ModulePath::Linear(0, Target::Fc1);
    let p = toy::rows([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.0, 0.0]]);
    phi.project(vec![(place, ParamKind::Matrix, p)]);

    // W = (1 2; 3 4) + φ₁·(1 0; 0 1) + φ₂·(0 1; 0 0) = (1 + 1, 2 + 2; 3, 4 + 1) = (2 4; 3 5)
    let fc1 = &theta.weights.blocks[0].fc1;
    let w = toy::part(&phi).matrix(place, &fc1.weight).unwrap();
    assert_eq!(toy::numbers(w.clone()), toy::down_columns([[2.0, 4.0], [3.0, 5.0]]));
    // Tensors without rows in P do not move.
    assert!(toy::part(&phi).bias(place, &fc1.bias().unwrap()).is_none());

    // h = Wx = (2·1 + 4·2, 3·1 + 5·2) = (10, 13)
    let h = linear(toy::token([1.0, 2.0]), w, None);
    assert_eq!(toy::numbers(h.clone()), [10.0, 13.0]);

    // ∂/∂W = h·xᵀ = (10·1 10·2; 13·1 13·2), and Pᵀ gathers it:
    // ∂/∂φ₁ = 10 + 26 = 36,  ∂/∂φ₂ = 20
    assert_eq!(toy::gradients(&phi, toy::loss(h)), [[36.0, 20.0]]);
}
