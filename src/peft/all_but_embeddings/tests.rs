//! All but the embeddings with a pencil: the network moves, what goes in and the head that reads it stay.

use super::AllButEmbeddings;
use crate::kernels::{layer_norm, linear};
use crate::model::{ModulePath, ParamKind};
use crate::peft::{MethodConfig, toy};

#[test]
fn the_last_layer_norm_learns_through_a_head_that_stays() {
    let theta = toy::theta();
    let phi = toy::phi(&theta, MethodConfig::AllButEmbeddings(AllButEmbeddings), toy::Start::default());
    let part = toy::part(&phi);

    // Token embedding, with it the head, and positions have no copy; everything else has.
    let e = theta.weights.tokens.dense();
    let zero = toy::vector([0.0, 0.0]);
    for place in ModulePath::all(&theta.config) {
        let copied = match place.pieces(&theta.config)[0] {
            ParamKind::Matrix => part.matrix(place, &e.clone().into()).is_some(),
            _ => part.scale(place, &zero).is_some() && part.bias(place, &zero).is_some(),
        };
        assert_eq!(copied, !matches!(place, ModulePath::Tokens | ModulePath::Positions), "{place:?}");
    }
    assert!(part.head(&e.clone().into()).is_none());

    // x = (300, 100) has μ = 200 and σ = 100: f = (x − μ)/σ + β = (1, −1) + (0, 0)
    let norm = &theta.weights.final_norm;
    let beta = part.bias(ModulePath::FinalNorm, &norm.bias.as_ref().unwrap().val()).unwrap();
    let f = layer_norm(toy::token([300.0, 100.0]), norm.scale.val(), beta.clone(), 1e-5);

    // E = (0 0; −1 1; 1 −1): logits = E f = (0, −1 − 1, 1 + 1) = (0, −2, 2)
    let logits = linear(f, e.transpose(), None);
    toy::assert_close(&toy::numbers(logits.clone()), &[0.0, -2.0, 2.0]);

    // ∂/∂β = Eᵀ logits = −2·(−1, 1) + 2·(1, −1) = (4, −4)
    let gradients = toy::loss(logits).backward();
    toy::assert_close(&toy::numbers(beta.grad(&gradients).unwrap()), &[4.0, -4.0]);
}
