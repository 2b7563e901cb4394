//! VeRA with a pencil: h = W₀x + b ⊙ B(d ⊙ Ax), where only b and d are trained.

use super::Vera;
use crate::kernels::linear;
use crate::model::{LinearAt, Target};
use crate::peft::{MethodConfig, toy};

#[test]
fn b_and_d_scale_what_a_frozen_pair_gives() {
    let config = Vera { rank: 2, target_modules: vec![Target::Q], ..Vera::default() };
    let (b, d) = ([1.0, -1.0], [2.0, 1.0]);
    let mut phi = toy::filled(&toy::theta(), MethodConfig::Vera(config), &[&b, &d]);
    // A and B, which all layers share, are given instead of drawn.
    phi.share([toy::weight([[1.0, 0.0], [1.0, 1.0]]), toy::weight([[1.0, 1.0], [1.0, 2.0]])]);

    // W₀x = (1·1 + 2·2, 3·1 + 4·2) = (5, 11)
    let (w0, bias) = (toy::weight([[1.0, 2.0], [3.0, 4.0]]), toy::vector([0.0, 0.0]));
    let at = LinearAt { block: 0, target: Target::Q, weight: &w0.clone().into(), bias: Some(&bias) };
    let x = toy::token([1.0, 2.0]);
    let y = linear(x.clone(), w0.clone(), None);

    // Ax = (1, 1 + 2) = (1, 3),  d ⊙ Ax = (2·1, 1·3) = (2, 3)
    // B(d ⊙ Ax) = (2 + 3, 2 + 2·3) = (5, 8),  b ⊙ B(d ⊙ Ax) = (5, −8)
    // h = (5 + 5, 11 − 8) = (10, 3)
    let h = toy::part(&phi).update(at, &x, &y).unwrap();
    assert_eq!(toy::numbers(h.clone()), [10.0, 3.0]);

    // φ is b and d alone: no gradient goes to A or B.
    // ∂/∂b = h ⊙ B(d ⊙ Ax) = (10·5, 3·8) = (50, 24)
    // Bᵀ(b ⊙ h) = Bᵀ(10, −3) = (10 − 3, 10 − 2·3) = (7, 4)
    // ∂/∂d = Ax ⊙ Bᵀ(b ⊙ h) = (1·7, 3·4) = (7, 12)
    assert_eq!(toy::gradients(&phi, toy::loss(h)), [[50.0, 24.0], [7.0, 12.0]]);
}
