//! LN tuning with a pencil: h = γ ⊙ (x − μ)/σ + β, where γ and β are trained.

use super::LnTuning;
use crate::kernels::layer_norm;
use crate::model::{ModulePath, Target};
use crate::peft::{MethodConfig, toy};

#[test]
fn gamma_and_beta_of_every_layer_norm_are_trained_and_no_matrix() {
    let theta = toy::theta();
    // γ and β of the LayerNorm before attention, of that before the MLP, and of the last one.
    let (ones, zeros) = ([1.0, 1.0], [0.0, 0.0]);
    let (gamma, beta) = ([2.0, 3.0], [1.0, 1.0]);
    let numbers: [&[f32]; 6] = [&gamma, &beta, &ones, &zeros, &ones, &zeros];
    let phi = toy::filled(&theta, MethodConfig::LnTuning(LnTuning), &numbers);
    let part = toy::part(&phi);
    assert_eq!(phi.elements(), 3 * (2 + 2));

    let place = ModulePath::AttentionNorm(0);
    let norm = &theta.weights.blocks[0].attention_norm;
    let gamma = part.scale(place, &norm.scale.val()).unwrap();
    let beta = part.bias(place, &norm.bias.as_ref().unwrap().val()).unwrap();

    // μ = (300 + 100)/2 = 200,  σ = 100,  (x − μ)/σ = (1, −1)
    // h = (2·1 + 1, 3·(−1) + 1) = (3, −2)
    let h = layer_norm(toy::token([300.0, 100.0]), gamma, beta, 1e-5);
    toy::assert_close(&toy::numbers(h.clone()), &[3.0, -2.0]);

    // ∂/∂γ = h ⊙ (x − μ)/σ = (3·1, −2·(−1)) = (3, 2),  ∂/∂β = h = (3, −2)
    let gradients = toy::gradients(&phi, toy::loss(h));
    toy::assert_close(&gradients[0], &[3.0, 2.0]);
    toy::assert_close(&gradients[1], &[3.0, -2.0]);

    // A linear layer keeps its matrix and its bias.
    let (fc1, place) = (&theta.weights.blocks[0].fc1, ModulePath::Linear(0, Target::Fc1));
    assert!(part.matrix(place, &fc1.weight).is_none() && part.bias(place, &fc1.bias().unwrap()).is_none());
}
