//! Pruning with a pencil: the smallest weights become zero in rounds, the others are trained on.

use super::{Pruning, Schedule};
use crate::kernels::linear;
use crate::model::{ModulePath, Target};
use crate::peft::{MethodConfig, Phi, toy};
use burn::tensor::Tensor;

/// What a session does before a step: φ asks for its matrices and is told their values.
fn before(phi: &mut Phi, step: usize, steps: usize) {
    let read = |part: Vec<Tensor<1>>| part.into_iter().map(toy::numbers).collect();
    let told = phi.host_reads(step, steps).into_iter().map(read).collect();
    phi.host_values(step, steps, told);
}

#[test]
fn each_round_prunes_the_smallest_and_they_are_told_nothing() {
    let theta = toy::theta();
    let config = Pruning { sparsity: 50, rounds: 2, schedule: Schedule::Iterative };
    let mut phi = toy::phi(&theta, MethodConfig::Pruning(config), toy::Start::default());
    let fc1 = theta.weights.blocks[0].fc1.weight.dense();
    let place = ModulePath::Linear(0, Target::Fc1);

    // Two rounds, each of which leaves √½ of the weights: the first prunes ⌊4·(1 − √½)⌋ = 1 of four.
    // W = (1 2; 3 4) loses its 1.
    before(&mut phi, 0, 10);
    let w = toy::part(&phi).matrix(place, &fc1.clone().into()).unwrap();
    assert_eq!(toy::numbers(w.clone()), toy::down_columns([[0.0, 2.0], [3.0, 4.0]]));

    // h = Wx = (2·2, 3·1 + 4·2) = (4, 11)
    let h = linear(toy::token([1.0, 2.0]), w, None);
    assert_eq!(toy::numbers(h.clone()), [4.0, 11.0]);

    // ∂/∂W = m ⊙ h·xᵀ = m ⊙ (4·1 4·2; 11·1 11·2): the pruned weight is told nothing.
    let gradients = toy::gradients(&phi, toy::loss(h));
    let masked = toy::down_columns([[0.0, 8.0], [11.0, 22.0]]);
    assert!(gradients.contains(&masked), "{gradients:?}");

    // Within a round nothing is asked for. The second one leaves ½: of four weights two are pruned.
    assert!(phi.host_reads(1, 10).is_empty());
    before(&mut phi, 5, 10);
    let w = toy::part(&phi).matrix(place, &fc1.clone().into()).unwrap();
    assert_eq!(toy::numbers(w), toy::down_columns([[0.0, 0.0], [3.0, 4.0]]));
}

#[test]
fn dense_sparse_dense_lets_pruned_weights_grow_again_from_zero() {
    let theta = toy::theta();
    let config = Pruning { sparsity: 50, rounds: 1, schedule: Schedule::DenseSparseDense };
    let mut phi = toy::phi(&theta, MethodConfig::Pruning(config), toy::Start::default());
    let fc1 = theta.weights.blocks[0].fc1.weight.dense();
    let place = ModulePath::Linear(0, Target::Fc1);

    // Of nine steps three are dense, three sparse, three dense.
    (0..9).for_each(|step| before(&mut phi, step, 9));

    // 1 and 2 were pruned at step 3. From step 6 on they are trained again, and start at 0.
    let w = toy::part(&phi).matrix(place, &fc1.clone().into()).unwrap();
    assert_eq!(toy::numbers(w.clone()), toy::down_columns([[0.0, 0.0], [3.0, 4.0]]));

    // h = (0, 3·1 + 4·2) = (0, 11). With h₁ alone as the loss the first row is told x = (1, 2).
    let h = linear(toy::token([1.0, 2.0]), w, None);
    let gradients = toy::gradients(&phi, h.slice([0..1, 0..1, 0..1]).sum());
    let told = toy::down_columns([[1.0, 2.0], [0.0, 0.0]]);
    assert!(gradients.contains(&told), "{gradients:?}");
}
