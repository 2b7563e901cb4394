//! LoHa with a pencil: h = W₀x + s·(B₁A₁ ⊙ B₂A₂)x, and what each of the four is told.

use super::Loha;
use crate::kernels::linear;
use crate::model::{LinearAt, Target};
use crate::peft::{MethodConfig, toy};

#[test]
fn the_update_is_the_element_wise_product_of_two_of_rank_one() {
    // r = 1 and α = 2: s = α/r = 2.
    let config = Loha { rank: 1, alpha: Some(2.0), target_modules: vec![Target::Q], ..Loha::default() };
    let ([b1, a1], [b2, a2]) = ([[1.0, 2.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, -1.0]]);
    let phi = toy::filled(&toy::theta(), MethodConfig::Loha(config), &[&b1, &a1, &b2, &a2]);

    // W₀x = (1·1 + 2·2, 3·1 + 4·2) = (5, 11)
    let (w0, bias) = (toy::weight([[1.0, 2.0], [3.0, 4.0]]), toy::vector([0.0, 0.0]));
    let x = toy::token([1.0, 2.0]);
    let y = linear(x.clone(), w0.clone(), None);
    assert_eq!(toy::numbers(y.clone()), [5.0, 11.0]);

    // B₁A₁ = (1 1; 2 2),  B₂A₂ = (1 −1; 1 −1),  ⊙: (1 −1; 2 −2),  ΔW = (2 −2; 4 −4)
    // ΔWx = (2·1 − 2·2, 4·1 − 4·2) = (−2, −4),  h = (5 − 2, 11 − 4) = (3, 7)
    let at = LinearAt { block: 0, target: Target::Q, weight: &w0.clone().into(), bias: Some(&bias) };
    let h = toy::part(&phi).update(at, &x, &y).unwrap();
    assert_eq!(toy::numbers(h.clone()), [3.0, 7.0]);

    // The loss ½‖h‖² has the gradient h at h, and G = h·xᵀ = (3 6; 7 14) at ΔW.
    // ∂/∂(B₁A₁) = s·G ⊙ B₂A₂ = (6 −12; 14 −28),  ∂/∂(B₂A₂) = s·G ⊙ B₁A₁ = (6 12; 28 56)
    // ∂/∂B₁ = (6 −12; 14 −28)·A₁ᵀ = (−6, −14),   ∂/∂A₁ = B₁ᵀ·(6 −12; 14 −28) = (6 + 28, −12 − 56) = (34, −68)
    // ∂/∂B₂ = (6 12; 28 56)·A₂ᵀ = (−6, −28),     ∂/∂A₂ = B₂ᵀ·(6 12; 28 56) = (34, 68)
    let gradients = toy::gradients(&phi, toy::loss(h));
    assert_eq!(gradients, [[-6.0, -14.0], [34.0, -68.0], [-6.0, -28.0], [34.0, 68.0]]);

    // Merged, W₀ + ΔW = (1 2; 3 4) + (2 −2; 4 −4) = (3 0; 7 0).
    let (merged, _) = toy::part(&phi).merged(at).unwrap();
    assert_eq!(toy::numbers(merged), toy::down_columns([[3.0, 0.0], [7.0, 0.0]]));
}

#[test]
fn at_the_start_a2_is_zero_and_only_a2_is_told_anything() {
    let config = Loha { rank: 1, target_modules: vec![Target::Q], ..Loha::default() };
    let phi = toy::phi(&toy::theta(), MethodConfig::Loha(config), toy::Start::default());

    // B₂A₂ = 0: h = W₀x + 0.
    let (w0, bias) = (toy::weight([[1.0, 2.0], [3.0, 4.0]]), toy::vector([0.0, 0.0]));
    let x = toy::token([1.0, 2.0]);
    let at = LinearAt { block: 0, target: Target::Q, weight: &w0.clone().into(), bias: Some(&bias) };
    let h = toy::part(&phi).update(at, &x, &linear(x.clone(), w0.clone(), None)).unwrap();
    assert_eq!(toy::numbers(h.clone()), [5.0, 11.0]);

    // Each of the others is multiplied by a zero of B₂A₂ or of A₂ on its way.
    let gradients = toy::gradients(&phi, toy::loss(h));
    assert!(gradients[..3].iter().flatten().all(|g| *g == 0.0), "{gradients:?}");
    assert!(gradients[3].iter().all(|g| *g != 0.0), "{gradients:?}");
}
