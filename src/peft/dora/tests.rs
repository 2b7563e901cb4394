//! DoRA with a pencil: h = m ⊙ (W₀ + s·BA)x/‖W₀ + s·BA‖ + b, with a length for each row of the matrix.

use super::Dora;
use crate::kernels::linear;
use crate::model::{LinearAt, Target};
use crate::peft::{MethodConfig, toy};

#[test]
fn rows_get_the_lengths_m_and_their_own_length_is_a_constant() {
    // s = α/r = 2. A is 1 × 2, B is 2 × 1, m has a number for each row.
    let config = Dora { rank: 1, alpha: Some(2.0), target_modules: vec![Target::Q], ..Dora::default() };
    let (a, b, m) = ([0.0, 2.0], [1.0, 0.0], [10.0, 2.0]);
    let phi = toy::filled(&toy::theta(), MethodConfig::Dora(config), &[&a, &b, &m]);

    // W₀ + s·BA = (3 0; 0 2) + 2 · (0 2; 0 0) = (3 4; 0 2): its rows are √(9 + 16) = 5 and 2 long.
    // m/‖W₀ + s·BA‖ = (10/5, 2/2) = (2, 1)
    let (w0, bias) = (toy::weight([[3.0, 0.0], [0.0, 2.0]]), toy::vector([1.0, 0.0]));
    let at = LinearAt { block: 0, target: Target::Q, weight: &w0.clone().into(), bias: Some(&bias) };
    let x = toy::token([1.0, 1.0]);

    // (W₀ + s·BA)x = (3 + 4, 2) = (7, 2),  h = (2·7, 1·2) + b = (15, 2): the bias is not stretched.
    let y = linear(x.clone(), w0.clone(), Some(bias.clone()));
    let h = toy::part(&phi).update(at, &x, &y).unwrap();
    assert_eq!(toy::numbers(h.clone()), [15.0, 2.0]);

    let gradients = toy::gradients(&phi, toy::loss(h));
    // ∂/∂m = h ⊙ (W₀ + s·BA)x/‖W₀ + s·BA‖ = (15·7/5, 2·2/2) = (21, 2)
    assert_eq!(gradients[2], [21.0, 2.0]);
    // ∂/∂B = s·((2, 1) ⊙ h)·(Ax)ᵀ = 2 · (30, 2) · 2 = (120, 8)
    assert_eq!(gradients[1], [120.0, 8.0]);
    // ∂/∂A = s·Bᵀ((2, 1) ⊙ h)·xᵀ = 2 · 30 · (1, 1) = (60, 60)
    // Were the length no constant, h₁ = 10·(3 + 2a)/√(9 + 4a²) + 1 with a = A₂ = 2 would have another slope:
    // 10 · (2·5 − 7·8/5)/25 = −0.48, times h₁ = 15: −7.2 instead of 60.
    assert_eq!(gradients[0], [60.0, 60.0]);

    // Merged, the rows are (2·3, 2·4) and (1·0, 1·2): now 10 and 2 long, as m says.
    let (merged, _) = toy::part(&phi).merged(at).unwrap();
    assert_eq!(toy::numbers(merged), toy::down_columns([[6.0, 8.0], [0.0, 2.0]]));
}
