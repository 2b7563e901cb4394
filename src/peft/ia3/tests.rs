//! (IA)³ with a pencil: l ⊙ (Wx + b) behind keys and values, W₂(l ⊙ x) in front of fc2.

use super::Ia3;
use crate::kernels::linear;
use crate::model::{LinearAt, Target};
use crate::peft::{MethodConfig, toy};

#[test]
fn factors_stretch_what_values_give_and_what_fc2_reads() {
    let config = Ia3 { target_modules: vec![Target::V, Target::Fc2], ..Ia3::default() };
    let (l_v, l_ff) = ([2.0, 3.0], [3.0, 1.0]);
    let phi = toy::filled(&toy::theta(), MethodConfig::Ia3(config), &[&l_v, &l_ff]);
    let part = toy::part(&phi);

    let (w, b) = (toy::weight([[1.0, 2.0], [3.0, 4.0]]), toy::vector([1.0, 0.0]));
    let x = toy::token([1.0, 2.0]);

    // Wx + b = (1·1 + 2·2 + 1, 3·1 + 4·2) = (6, 11): the bias is stretched too.
    // h = l_V ⊙ (6, 11) = (2·6, 3·11) = (12, 33)
    let v = LinearAt { block: 0, target: Target::V, weight: &w.clone().into(), bias: Some(&b) };
    let y = linear(x.clone(), w.clone(), Some(b.clone()));
    let h = part.update(v, &x, &y).unwrap();
    assert_eq!(toy::numbers(h.clone()), [12.0, 33.0]);
    // What W_V reads is as it was.
    assert!(part.input(v, &x).is_none());

    // ∂/∂l_V = h ⊙ (Wx + b) = (12·6, 33·11) = (72, 363)
    assert_eq!(toy::gradients(&phi, toy::loss(h)), [[72.0, 363.0], [0.0, 0.0]]);

    // fc2: l_ff ⊙ x = (3·1, 1·2) = (3, 2),  h = W₂(3, 2) + b = (3 + 4 + 1, 9 + 8) = (8, 17)
    let fc2 = LinearAt { block: 0, target: Target::Fc2, weight: &w.clone().into(), bias: Some(&b) };
    let stretched = part.input(fc2, &x).unwrap();
    assert_eq!(toy::numbers(stretched.clone()), [3.0, 2.0]);
    let h = linear(stretched, w.clone(), Some(b.clone()));
    assert_eq!(toy::numbers(h.clone()), [8.0, 17.0]);
    // What fc2 gives is as it comes.
    assert!(part.update(fc2, &x, &y).is_none());

    // W₂ᵀh = (1·8 + 3·17, 2·8 + 4·17) = (59, 84),  ∂/∂l_ff = x ⊙ W₂ᵀh = (1·59, 2·84) = (59, 168)
    assert_eq!(toy::gradients(&phi, toy::loss(h)), [[0.0, 0.0], [59.0, 168.0]]);
}
