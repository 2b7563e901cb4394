//! Chosen layers with a pencil: trained copies stand in for the chosen parts, the rest stays θ's.

use super::{BlockPart, Layers};
use crate::kernels::linear;
use crate::model::{ModulePath, Target};
use crate::peft::{Blocks, MethodConfig, toy};

#[test]
fn the_mlp_is_trained_and_attention_is_not() {
    let theta = toy::theta();
    let config = Layers { layers: Blocks::default(), parts: vec![BlockPart::Mlp] };
    // fc1's matrix and bias, fc2's matrix and bias.
    let w = toy::down_columns([[1.0, 2.0], [3.0, 5.0]]);
    let numbers: [&[f32]; 4] = [&w, &[1.0, 0.0], &[0.0; 4], &[0.0; 2]];
    let phi = toy::filled(&theta, MethodConfig::Layers(config), &numbers);
    let part = toy::part(&phi);

    let fc1 = &theta.weights.blocks[0].fc1;
    let place = ModulePath::Linear(0, Target::Fc1);
    let w = part.matrix(place, &fc1.weight).unwrap();
    let b = part.bias(place, &fc1.bias().unwrap()).unwrap();

    // Where θ has (1 2; 3 4) and no bias: h = (1·1 + 2·2 + 1, 3·1 + 5·2) = (6, 13)
    let h = linear(toy::token([1.0, 2.0]), w, Some(b));
    assert_eq!(toy::numbers(h.clone()), [6.0, 13.0]);

    // ∂/∂W = h·xᵀ = (6·1 6·2; 13·1 13·2),  ∂/∂b = h. fc2 did not take part.
    let gradients = toy::gradients(&phi, toy::loss(h));
    assert_eq!(gradients[0], toy::down_columns([[6.0, 12.0], [13.0, 26.0]]));
    assert_eq!(gradients[1], [6.0, 13.0]);
    assert_eq!(gradients[2], [0.0; 4]);

    // W_Q, W_K, W_V and W_O stay frozen, embeddings too.
    let chosen: Vec<ModulePath> =
        ModulePath::all(&theta.config).filter(|place| part.matrix(*place, &fc1.weight).is_some()).collect();
    assert_eq!(chosen, [place, ModulePath::Linear(0, Target::Fc2)]);
}
