//! Full fine-tuning with a pencil: a trained copy stands in for every tensor of θ.

use super::Full;
use crate::kernels::linear;
use crate::model::{ModulePath, ParamKind, Target};
use crate::peft::{MethodConfig, toy};

#[test]
fn every_tensor_has_a_copy_that_starts_as_thetas() {
    let theta = toy::theta();
    let phi = toy::phi(&theta, MethodConfig::Full(Full), toy::Start::default());
    let part = toy::part(&phi);

    for place in ModulePath::all(&theta.config) {
        let own = theta.weights.at(place);
        for kind in place.pieces(&theta.config) {
            let (copy, own) = match kind {
                ParamKind::Matrix => {
                    let own = own.matrix.as_ref().unwrap().dense();
                    (part.matrix(place, &own.clone().into()).map(toy::numbers), toy::numbers(own))
                }
                ParamKind::Bias => {
                    let own = own.bias.unwrap().val();
                    (part.bias(place, &own).map(toy::numbers), toy::numbers(own))
                }
                ParamKind::Scale => {
                    let own = own.scale.unwrap().val();
                    (part.scale(place, &own).map(toy::numbers), toy::numbers(own))
                }
            };
            assert_eq!(copy, Some(own), "{place:?} {kind:?}");
        }
    }

    // Embeddings 3·2 and 10·2, six matrices of 4 and biases of 2, three LayerNorms of 2 + 2.
    assert_eq!(phi.elements(), 6 + 20 + 6 * (4 + 2) + 3 * (2 + 2));
}

#[test]
fn a_weight_s_gradient_is_what_came_out_times_what_went_in() {
    let theta = toy::theta();
    let phi = toy::phi(&theta, MethodConfig::Full(Full), toy::Start::default());
    let fc1 = &theta.weights.blocks[0].fc1;
    let w = toy::part(&phi).matrix(ModulePath::Linear(0, Target::Fc1), &fc1.weight).unwrap();

    // h = Wx = (1·1 + 2·2, 3·1 + 4·2) = (5, 11)
    let h = linear(toy::token([1.0, 2.0]), w.clone(), None);
    assert_eq!(toy::numbers(h.clone()), [5.0, 11.0]);

    // ∂/∂W = h·xᵀ = (5·1 5·2; 11·1 11·2)
    let gradients = toy::loss(h).backward();
    let gradient = toy::numbers(w.grad(&gradients).unwrap());
    assert_eq!(gradient, toy::down_columns([[5.0, 10.0], [11.0, 22.0]]));
}
