//! BitFit with a pencil: h = W₀x + b, where only b is trained.

use super::BitFit;
use crate::kernels::linear;
use crate::model::{ModulePath, ParamKind, Target};
use crate::peft::{Method, MethodConfig, Shape, toy};

#[test]
fn a_trained_bias_stands_in_for_thetas() {
    let theta = toy::theta();
    let config = BitFit { targets: vec![Target::Fc1], norms: false };
    let phi = toy::filled(&theta, MethodConfig::BitFit(config), &[&[10.0, 20.0]]);
    let part = toy::part(&phi);

    // W₀ is frozen; θ's b = (0, 0) is replaced by φ's (10, 20).
    let fc1 = &theta.weights.blocks[0].fc1;
    let place = ModulePath::Linear(0, Target::Fc1);
    assert!(part.matrix(place, &fc1.weight).is_none());
    let b = part.bias(place, &fc1.bias().unwrap()).unwrap();

    // W₀x = (1·1 + 2·2, 3·1 + 4·2) = (5, 11),  h = (5 + 10, 11 + 20) = (15, 31)
    let h = linear(toy::token([1.0, 2.0]), fc1.weight.dense(), Some(b));
    assert_eq!(toy::numbers(h.clone()), [15.0, 31.0]);

    // ∂h/∂b = I, so that the loss ½‖h‖² has the gradient h at b.
    assert_eq!(toy::gradients(&phi, toy::loss(h)), [[15.0, 31.0]]);
}

#[test]
fn only_chosen_biases_are_trained() {
    let theta = toy::theta();
    let config = BitFit { targets: vec![Target::Q, Target::Fc1], norms: true };
    let phi = toy::phi(&theta, MethodConfig::BitFit(config), toy::Start::default());
    let zero = toy::vector([0.0, 0.0]);

    // Biases of W_Q, fc1 and the LayerNorms; those of W_K, W_V, W_O and fc2 stay θ's, and every scale.
    let trained = |place: &ModulePath| toy::part(&phi).bias(*place, &zero).is_some();
    let chosen: Vec<ModulePath> = ModulePath::all(&theta.config).filter(trained).collect();
    let (q, fc1) = (ModulePath::Linear(0, Target::Q), ModulePath::Linear(0, Target::Fc1));
    assert_eq!(chosen, [ModulePath::AttentionNorm(0), ModulePath::MlpNorm(0), q, fc1, ModulePath::FinalNorm]);
    assert!(toy::part(&phi).scale(ModulePath::FinalNorm, &zero).is_none());
}

#[test]
fn a_gate_s_bias_is_among_all_biases_where_a_base_has_one() {
    for (gated, mlp, written) in [
        (true, true, "1 blocks × (1 × 2 + 2 × 3)"),
        (true, false, "1 blocks × (4 × 2)"),
        (false, true, "1 blocks × (5 × 2 + 3)"),
    ] {
        let mut model = toy::theta().config;
        (model.gated, model.biases.mlp, model.ffn_dim) = (gated, mlp, 3);
        model.biases.inputs = !(gated && mlp);
        model.biases.output = model.biases.inputs;
        let shape = Shape { model: model.clone(), labels: 2 };
        let config = BitFit { norms: false, ..BitFit::default() };
        let count = config.count(&shape);
        assert_eq!(count.sum().split(" = ").next(), Some(written));
        let copied = ModulePath::all(&model)
            .filter(|place| place.pieces(&model).contains(&ParamKind::Bias))
            .filter(|place| config.copies(*place, ParamKind::Bias, &model));
        assert_eq!(copied.map(|place| place.elements(ParamKind::Bias, &model)).sum::<u64>(), count.total());
    }
}

#[test]
fn a_choice_without_a_bias_is_told_which_layers_have_one() {
    let mut model = toy::theta().config;
    (model.gated, model.biases.inputs, model.biases.output) = (true, false, false);
    let config = BitFit { targets: vec![Target::Q, Target::O], norms: false };
    let fault = config.check(&Shape { model, labels: 2 }, 4).unwrap_err();
    let told = "None of the chosen layers has a bias in this base: choose among up, down, gate.";
    assert_eq!((fault.key.as_str(), fault.message.as_str()), ("biases", told));
}
