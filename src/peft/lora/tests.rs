//! LoRA with a pencil: h = W₀x + s·B(Ax), and what A and B are told.

use super::Lora;
use crate::kernels::linear;
use crate::model::{LinearAt, Target};
use crate::peft::{MethodConfig, toy};

#[test]
fn the_update_is_s_times_b_times_a_times_x() {
    // r = 1 and α = 2: s = α/r = 2. A is 1 × 2, B is 2 × 1.
    let config = Lora { rank: 1, alpha: Some(2.0), target_modules: vec![Target::Q], ..Lora::default() };
    let (a, b) = ([1.0, 1.0], [1.0, -1.0]);
    let phi = toy::filled(&toy::theta(), MethodConfig::Lora(config), &[&a, &b]);

    // W₀x = (1·1 + 2·2, 3·1 + 4·2) = (5, 11)
    let (w0, bias) = (toy::weight([[1.0, 2.0], [3.0, 4.0]]), toy::vector([0.0, 0.0]));
    let x = toy::token([1.0, 2.0]);
    let y = linear(x.clone(), w0.clone(), None);
    assert_eq!(toy::numbers(y.clone()), [5.0, 11.0]);

    // Ax = 1·1 + 1·2 = 3,  s·B(Ax) = 2 · (1·3, −1·3) = (6, −6),  h = (5 + 6, 11 − 6) = (11, 5)
    let at = LinearAt { block: 0, target: Target::Q, weight: &w0.clone().into(), bias: Some(&bias) };
    let h = toy::part(&phi).update(at, &x, &y).unwrap();
    assert_eq!(toy::numbers(h.clone()), [11.0, 5.0]);

    // The loss ½‖h‖² has the gradient h = (11, 5) at h.
    // ∂/∂A = s·(Bᵀh)·xᵀ = 2 · (1·11 − 1·5) · (1, 2) = (12, 24)
    // ∂/∂B = s·h·(Ax)ᵀ = 2 · (11, 5) · 3 = (66, 30)
    let gradients = toy::gradients(&phi, toy::loss(h));
    assert_eq!(gradients, [[12.0, 24.0], [66.0, 30.0]]);

    // Merged, W₀ + s·BA = (1 2; 3 4) + 2 · (1 1; −1 −1) = (3 4; 1 2), and the layer costs what it did.
    let (merged, _) = toy::part(&phi).merged(at).unwrap();
    assert_eq!(toy::numbers(merged), toy::down_columns([[3.0, 4.0], [1.0, 2.0]]));
}

#[test]
fn at_the_start_b_is_zero_and_only_b_is_told_anything() {
    let config = Lora { rank: 1, target_modules: vec![Target::Q], ..Lora::default() };
    let phi = toy::phi(&toy::theta(), MethodConfig::Lora(config), toy::Start::default());

    // B = 0: h = W₀x + 0.
    let (w0, bias) = (toy::weight([[1.0, 2.0], [3.0, 4.0]]), toy::vector([0.0, 0.0]));
    let x = toy::token([1.0, 2.0]);
    let at = LinearAt { block: 0, target: Target::Q, weight: &w0.clone().into(), bias: Some(&bias) };
    let h = toy::part(&phi).update(at, &x, &linear(x.clone(), w0.clone(), None)).unwrap();
    assert_eq!(toy::numbers(h.clone()), [5.0, 11.0]);

    // ∂/∂A = s·(Bᵀh)·xᵀ = 0, while A, drawn at random, gives B the gradient s·h·(Ax)ᵀ.
    let gradients = toy::gradients(&phi, toy::loss(h));
    assert_eq!(gradients[0], [0.0, 0.0]);
    assert!(gradients[1].iter().all(|g| *g != 0.0));
}
